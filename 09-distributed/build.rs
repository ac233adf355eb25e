//! With the feature `redis`, looks for a `redis-server`: where none is, the tests that need one are ignored, and say why.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(redis_server)");
    println!("cargo::rerun-if-env-changed=PATH");
    if std::env::var_os("CARGO_FEATURE_REDIS").is_none() {
        return;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("redis-server"));
    match found.into_iter().find(|program| program.is_file()) {
        Some(program) => {
            println!("cargo::rerun-if-changed={}", program.display());
            println!("cargo::rustc-cfg=redis_server");
        }
        // It may come.
        None => println!("cargo::rerun-if-changed=no redis-server"),
    }
}
