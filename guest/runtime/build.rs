//! Linker arguments for the wasm build: a small stack below the data, where an overflow traps at once, and no growth
//! of the committed module by names that nobody reads.

/// Bytes of stack: the runtime recurses nowhere.
const STACK_BYTES: u32 = 16 * 1024;

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo:rustc-cdylib-link-arg=-zstack-size={STACK_BYTES}");
        println!("cargo:rustc-cdylib-link-arg=--stack-first");
        // One segment for each table, and relocations that say who uses it: the linker of the compiler drops the rest.
        println!("cargo:rustc-cdylib-link-arg=--no-merge-data-segments");
        println!("cargo:rustc-cdylib-link-arg=--emit-relocs");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
