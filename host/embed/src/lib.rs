//! Rule loading, compiling and evaluation: what every door embeds.
