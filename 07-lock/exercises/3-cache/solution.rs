use std::collections::HashMap;
use std::sync::RwLock;

pub type Cache = RwLock<HashMap<u32, u64>>;

/// The cached value of `key`, or compute it with `f` and cache it.
/// All callers get the same value for a key (the first insert wins). A hit never calls `f`.
/// No lock is held while `f` runs: it may be slow and may use the cache itself.
pub fn get_or_compute(cache: &Cache, key: u32, f: impl FnOnce() -> u64) -> u64 {
    // A statement of its own: the guard is a temporary, and gone at the semicolon.
    let hit = cache.read().unwrap().get(&key).copied();
    if let Some(v) = hit {
        return v;
    }
    let v = f();
    // Another caller may have been faster: what is there stays.
    *cache.write().unwrap().entry(key).or_insert(v)
}
