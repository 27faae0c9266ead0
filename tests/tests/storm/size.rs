//! How much the test does.

/// Cases when nobody says otherwise: services built for development take some four minutes on two cores that others use as
/// well, the proof included.
const CASES: u32 = 100_000;
/// The seed when nobody says otherwise.
const SEED: u64 = 20_260_306;

/// How many orders fall due, and which moments chance chooses.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Cases, and so orders.
    pub cases: u32,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Size {
    /// `DUDAO_STORM=<cases>` and `DUDAO_STORM_SEED=<seed>`; what is missing is the constant above.
    pub fn read() -> Self {
        let cases = variable("DUDAO_STORM").map_or(CASES, |cases| u32::try_from(cases).unwrap());
        Self { cases, seed: variable("DUDAO_STORM_SEED").unwrap_or(SEED) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where this test reads its environment")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.trim().parse().unwrap())
}
