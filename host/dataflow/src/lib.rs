//! Groups, sorts and limits what kernels found.
