//! Sizes in messages, as people read them.

/// Writes a number of bytes: `999 bytes`, `1.50 MB (1500000 bytes)`.
pub fn in_units(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        _ => format!("{} ({bytes} bytes)", resup_units::bytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::in_units;

    #[test]
    fn a_size_has_a_unit_and_its_exact_number() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.00 kB (1000 bytes)"),
            (1_500_000, "1.50 MB (1500000 bytes)"),
            (999_999_999, "1.00 GB (999999999 bytes)"),
            (50_000_000_000, "50.0 GB (50000000000 bytes)"),
        ] {
            assert_eq!(in_units(bytes), text);
        }
    }
}
