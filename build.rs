//! Link settings of the shared library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let minor = env!("CARGO_PKG_VERSION_MINOR");
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    // Until 1.0 each minor version may change the ABI, so the library's name carries it.
    let abi = if major == "0" {
        format!("0.{minor}")
    } else {
        major.to_owned()
    };
    if os == "linux" || os == "android" || os.ends_with("bsd") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libresup.so.{abi}");
        // dlclose must not take the code away under the library's own threads.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    if os == "macos" {
        // Programs find it beside themselves or where their rpath says. (It stays loaded, as it has thread-locals.)
        for argument in [
            format!("-install_name,@rpath/libresup.{abi}.dylib"),
            format!("-compatibility_version,{abi}"),
            format!("-current_version,{}", env!("CARGO_PKG_VERSION")),
        ] {
            println!("cargo:rustc-cdylib-link-arg=-Wl,{argument}");
        }
    }
}
