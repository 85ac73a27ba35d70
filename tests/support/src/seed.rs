//! Seeds for random tests.

/// The environment variable with the seed of a run to repeat.
pub const VARIABLE: &str = "RESUP_TEST_SEED";

/// Returns the seed of this run: from `RESUP_TEST_SEED`, else a random one.
///
/// It is printed as `seed: N`; the test harness shows that line when the test fails.
///
/// # Panics
///
/// When the variable is set to something that is not a decimal `u64`.
pub fn seed() -> u64 {
    let seed = chosen();
    println!("seed: {seed}");
    seed
}

/// Returns the seed of this run and prints nothing.
///
/// # Panics
///
/// As [`seed`].
pub fn chosen() -> u64 {
    match std::env::var(VARIABLE) {
        Ok(text) => text
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("{VARIABLE}={text:?} is not a decimal number")),
        Err(_) => fastrand::u64(..),
    }
}

/// Makes a generator that gives the same numbers for the same seed.
pub fn rng(seed: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(mix(seed, 0))
}

/// Makes one seed of two numbers (the finalizer of splitmix64), so that those of neighbours are unrelated.
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
