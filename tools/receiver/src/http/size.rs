//! Sizes in messages, as people read them.

/// Writes a number of bytes: `999 bytes`, `1.50 MB (1500000 bytes)`.
pub fn in_units(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        // 999.5 and more would be written as 1000.
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    match value {
        _ if unit.is_empty() => format!("{bytes} bytes"),
        v if v < 9.995 => format!("{v:.2} {unit} ({bytes} bytes)"),
        v if v < 99.95 => format!("{v:.1} {unit} ({bytes} bytes)"),
        v => format!("{v:.0} {unit} ({bytes} bytes)"),
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
