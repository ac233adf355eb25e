// Wrong: the first insert wins in the cache, but not in what it returns.
// Refused by: the_first_insert_wins
// Told: return what is in the cache
use std::collections::HashMap;
use std::sync::RwLock;

pub type Cache = RwLock<HashMap<u32, u64>>;

/// The cached value of `key`, or compute it with `f` and cache it.
/// All callers get the same value for a key (the first insert wins). A hit never calls `f`.
/// No lock is held while `f` runs: it may be slow and may use the cache itself.
pub fn get_or_compute(cache: &Cache, key: u32, f: impl FnOnce() -> u64) -> u64 {
    let hit = cache.read().unwrap().get(&key).copied();
    if let Some(v) = hit {
        return v;
    }
    let v = f();
    cache.write().unwrap().entry(key).or_insert(v);
    v
}
