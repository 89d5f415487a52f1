//! Functions linked into compiled detections: what nobody should emit by hand.
//!
//! `cargo xtask runtime` builds this crate for wasm32; the compiler links the exported functions that a detection needs
//! into its module and drops the rest. Everything outside `exports`, `element_exports`, `column` and `arena` is plain safe Rust over
//! slices and is tested natively; the four touch the module's linear memory and exist on wasm32 only.
//!
//! Nothing in here panics with a message: formatting code would be linked into every component.

#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod address;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the arena is the module's linear memory")]
mod arena;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "columns lie in linear memory")]
mod column;
pub mod date;
pub mod dfa;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "emitted code passes addresses in linear memory")]
mod element_exports;
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "emitted code passes addresses in linear memory")]
mod exports;
pub mod number;
pub mod regex;
pub mod search;
pub mod starts;
pub mod text;
pub mod wildcard;

#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
