//! The format of a zip file that is written without going back: entries are stored, not compressed, and their checksums
//! follow their bytes. Its length is known before.

/// Bytes of an entry's header without its name and additions.
const LOCAL: u64 = 30;
/// Bytes of an entry in the directory, likewise.
const CENTRAL: u64 = 46;
/// The largest number that the old fields take; what is larger, or as large, is in the additions of zip64.
const MAX: u64 = u32::MAX as u64;
/// Bit 3: the checksum follows the bytes. Bit 11: names are UTF-8.
const FLAGS: u16 = 0x0808;

/// An entry.
pub struct Entry {
    /// The path in the archive.
    pub path: String,
    /// The bytes of the file.
    pub size: u64,
    /// Milliseconds since 1970.
    pub changed: i64,
}

impl Entry {
    fn is_large(&self) -> bool {
        self.size >= MAX
    }

    fn needs_zip64(&self, offset: u64) -> bool {
        self.is_large() || offset >= MAX
    }

    fn version(&self, offset: u64) -> u16 {
        if self.needs_zip64(offset) {
            45
        } else {
            20
        }
    }

    /// The number of bytes of the entry, with its header and what follows it.
    fn length(&self) -> u64 {
        let (extra, tail) = if self.is_large() { (20, 24) } else { (0, 16) };
        LOCAL + self.path.len() as u64 + extra + self.size + tail
    }

    /// Writes what comes before the bytes.
    pub fn header(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.u32(0x0403_4b50);
        out.u16(if self.is_large() { 45 } else { 20 });
        out.u16(FLAGS);
        out.u16(0);
        out.u32(date_time(self.changed));
        // The checksum and both sizes: they follow.
        out.u32(0);
        let size = if self.is_large() { u32::MAX } else { 0 };
        out.u32(size);
        out.u32(size);
        out.u16(self.path.len() as u16);
        out.u16(if self.is_large() { 20 } else { 0 });
        out.0.extend_from_slice(self.path.as_bytes());
        if self.is_large() {
            out.u16(1);
            out.u16(16);
            out.u64(0);
            out.u64(0);
        }
        out.0
    }

    /// Writes what comes after the bytes, whose checksum is now known.
    pub fn trailer(&self, checksum: u32) -> Vec<u8> {
        let mut out = Out::default();
        out.u32(0x0807_4b50);
        out.u32(checksum);
        for _ in 0..2 {
            match self.is_large() {
                true => out.u64(self.size),
                false => out.u32(self.size as u32),
            }
        }
        out.0
    }

    /// Writes the entry in the directory at the end, for an entry at this offset.
    fn central(&self, offset: u64, checksum: u32, out: &mut Out) {
        let is_zip64 = self.needs_zip64(offset);
        let old = |number: u64| if is_zip64 { u32::MAX } else { number as u32 };
        out.u32(0x0201_4b50);
        // Made on Unix: the mode is in the upper half of the attributes.
        out.u16(3 << 8 | self.version(offset));
        out.u16(self.version(offset));
        out.u16(FLAGS);
        out.u16(0);
        out.u32(date_time(self.changed));
        out.u32(checksum);
        out.u32(old(self.size));
        out.u32(old(self.size));
        out.u16(self.path.len() as u16);
        out.u16(if is_zip64 { 28 } else { 0 });
        // No comment, the first disk, no attributes of DOS.
        out.u16(0);
        out.u16(0);
        out.u16(0);
        out.u32(0o100_644 << 16);
        out.u32(old(offset));
        out.0.extend_from_slice(self.path.as_bytes());
        if is_zip64 {
            out.u16(1);
            out.u16(24);
            for number in [self.size, self.size, offset] {
                out.u64(number);
            }
        }
    }
}

/// Writes the directory at the end, for entries with these checksums.
pub fn directory(entries: &[Entry], checksums: &[u32]) -> Vec<u8> {
    let mut out = Out::default();
    let mut offset = 0;
    for (entry, checksum) in entries.iter().zip(checksums) {
        entry.central(offset, *checksum, &mut out);
        offset += entry.length();
    }
    let (count, size) = (entries.len() as u64, out.0.len() as u64);
    let is_zip64 = ends_in_zip64(count, size, offset);
    if is_zip64 {
        out.u32(0x0606_4b50);
        out.u64(44);
        out.u16(3 << 8 | 45);
        out.u16(45);
        out.u32(0);
        out.u32(0);
        for number in [count, count, size, offset] {
            out.u64(number);
        }
        out.u32(0x0706_4b50);
        out.u32(0);
        out.u64(offset + size);
        out.u32(1);
    }
    let old = |number: u64| if is_zip64 { u32::MAX } else { number as u32 };
    out.u32(0x0605_4b50);
    out.u32(0);
    out.u16(old(count) as u16);
    out.u16(old(count) as u16);
    out.u32(old(size));
    out.u32(old(offset));
    out.u16(0);
    out.0
}

/// Computes the length of the whole archive.
pub fn length(entries: &[Entry]) -> u64 {
    let (mut offset, mut directory) = (0, 0);
    for entry in entries {
        let extra = if entry.needs_zip64(offset) { 28 } else { 0 };
        directory += CENTRAL + entry.path.len() as u64 + extra;
        offset += entry.length();
    }
    let end = if ends_in_zip64(entries.len() as u64, directory, offset) {
        56 + 20 + 22
    } else {
        22
    };
    offset + directory + end
}

fn ends_in_zip64(count: u64, size: u64, offset: u64) -> bool {
    count >= u64::from(u16::MAX) || size >= MAX || offset >= MAX
}

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn u16(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

/// Writes a time as DOS does, in UTC, to two seconds, from 1980 to 2107: the date in the upper half.
fn date_time(milliseconds: i64) -> u32 {
    // The first and the last moment.
    let seconds = (milliseconds / 1000).clamp(315_532_800, 4_354_819_198) as u64;
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    // In these years. 2000 was one.
    let is_leap = |year: u64| year.is_multiple_of(4) && year != 2100;
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let date = ((year - 1980) << 9) | (month << 5) | (days + 1);
    let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
    (date << 16 | time) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_dos() {
        let parts = |time: u32| {
            let (date, time) = (time >> 16, time & 0xffff);
            (
                (date >> 9) + 1980,
                date >> 5 & 15,
                date & 31,
                (time >> 11, time >> 5 & 63, time % 32 * 2),
            )
        };
        for (milliseconds, there) in [
            (0, (1980, 1, 1, (0, 0, 0))),
            (951_827_696_000, (2000, 2, 29, (12, 34, 56))),
            (1_700_000_000_000, (2023, 11, 14, (22, 13, 20))),
            (i64::MAX, (2107, 12, 31, (23, 59, 58))),
        ] {
            assert_eq!(parts(date_time(milliseconds)), there);
        }
    }

    #[test]
    fn the_length_is_known_before_also_of_large_files() {
        let entry = |size| Entry {
            path: "文/a.bin".to_owned(),
            size,
            changed: 0,
        };
        for sizes in [
            &[][..],
            &[0, 10],
            &[MAX - 1, 5],
            &[MAX, 0],
            &[MAX + 7, MAX, 1],
        ] {
            let entries: Vec<_> = sizes.iter().map(|size| entry(*size)).collect();
            let around = entries
                .iter()
                .map(|it| (it.header().len() + it.trailer(1).len()) as u64 + it.size);
            let whole =
                around.sum::<u64>() + directory(&entries, &vec![1; sizes.len()]).len() as u64;
            assert_eq!(length(&entries), whole, "{sizes:?}");
        }
        let many: Vec<_> = (0..70_000).map(|_| entry(0)).collect();
        let end = directory(&many, &vec![0; many.len()]);
        let before = many.iter().map(Entry::length).sum::<u64>();
        assert_eq!(length(&many), before + end.len() as u64);
    }
}
