//! Tells cargo what else the binary is made of: files that appear or vanish under these folders.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=../../build.rs");
}
