use std::fs;
use std::time::Instant;

use crate::files::{self, Pattern};
use crate::seed;

#[test]
fn the_same_seed_gives_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two, three] = ["1", "2", "3"].map(|name| dir.path().join(name));
    files::make(&one, 3_000_001, 5).unwrap();
    files::make(&two, 3_000_001, 5).unwrap();
    files::make(&three, 3_000_001, 6).unwrap();
    files::assert_same(&one, &two);
    assert_eq!(files::first_difference(&one, &three).unwrap(), Some(0));
    assert_eq!(fs::read(&one).unwrap(), files::bytes(3_000_001, 5));
    assert_eq!(
        files::md5_hex(&one).unwrap(),
        files::md5_hex_of(&files::bytes(3_000_001, 5))
    );
}

#[test]
fn a_pattern_can_be_read_at_any_offset() {
    let all = files::bytes(300_000, 9);
    let pattern = Pattern::new(9);
    let mut rng = seed::rng(1);
    for _ in 0..500 {
        let offset = rng.usize(..290_000);
        let mut piece = vec![0; rng.usize(..10_000)];
        pattern.fill(offset as u64, &mut piece);
        assert!(piece == all[offset..offset + piece.len()], "at {offset}");
    }
    for at in [65_530, 65_535, 65_536, 65_537, 65_543, 65_544] {
        let mut piece = [0; 20];
        pattern.fill(at, &mut piece);
        assert_eq!(piece, all[at as usize..at as usize + 20]);
    }
}

#[test]
fn a_difference_is_found_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("1"), dir.path().join("2"));
    let mut bytes = files::bytes(2_500_000, 1);
    fs::write(&one, &bytes).unwrap();
    bytes[2_400_000] ^= 1;
    fs::write(&two, &bytes).unwrap();
    let at = |one, two| files::first_difference(one, two).unwrap();
    assert_eq!(at(&one, &two), Some(2_400_000));
    fs::write(&two, files::bytes(1_000, 1)).unwrap();
    assert_eq!(at(&one, &two), Some(1_000));
    assert_eq!(files::md5_hex_of(b""), "d41d8cd98f00b204e9800998ecf8427e");
}

#[test]
fn bytes_are_made_quickly() {
    let pattern = Pattern::new(1);
    let mut buffer = vec![0; 1 << 20];
    let began = Instant::now();
    for mib in 0..512 {
        pattern.fill(mib << 20, &mut buffer);
    }
    println!("512 MiB in {:?}", began.elapsed());
}
