//! The line hash by which GitHub code scanning recognises an alert again: `primaryLocationLineHash` as computed by
//! `fingerprints.ts` of github/codeql-action.

/// Characters that make up one hash: the rest of the line and what follows it, without white space.
const WINDOW: usize = 100;
const FACTOR: u64 = 37;
const TAB: u16 = b'\t' as u16;
const SPACE: u16 = b' ' as u16;
const LF: u16 = b'\n' as u16;
const CR: u16 = b'\r' as u16;
/// Marks the end of the file.
const EOF: u16 = 65_535;

/// Hashes of all lines: a rolling hash over the next 100 characters that are not blank, and a counter behind a colon
/// that tells equal lines apart.
#[must_use]
pub fn line_hashes(text: &str) -> Vec<String> {
    let mut roller = Roller::new();
    let mut previous_was_cr = false;
    let mut starts_line = true;
    for unit in text.encode_utf16().chain([EOF]) {
        let is_crlf = unit == LF && previous_was_cr;
        previous_was_cr = unit == CR;
        if unit == SPACE || unit == TAB || is_crlf {
            continue;
        }
        let unit = if unit == CR { LF } else { unit };
        roller.emit_at_window();
        if starts_line {
            roller.start_line();
        }
        starts_line = unit == LF;
        roller.push(unit);
    }
    roller.finish()
}

/// The state of the rolling hash, with the lines whose window is still open.
struct Roller {
    window: [u16; WINDOW],
    index: usize,
    hash: u64,
    first_factor: u64,
    line_starts: Vec<Option<usize>>,
    line: usize,
    counts: std::collections::HashMap<u64, u32>,
    hashes: Vec<String>,
}

impl Roller {
    fn new() -> Self {
        let first_factor = (0..WINDOW).fold(1_u64, |factor, _| factor.wrapping_mul(FACTOR));
        Self {
            window: [0; WINDOW],
            index: 0,
            hash: 0,
            first_factor,
            line_starts: vec![None; WINDOW],
            line: 0,
            counts: std::collections::HashMap::new(),
            hashes: vec![],
        }
    }

    /// Gives out the hash of the line that began a whole window ago.
    fn emit_at_window(&mut self) {
        if let Some(line) = self.line_starts[self.index].take() {
            let count = self.counts.entry(self.hash).or_insert(0);
            *count += 1;
            if self.hashes.len() <= line {
                self.hashes.resize(line + 1, String::new());
            }
            self.hashes[line] = format!("{:x}:{count}", self.hash);
        }
    }

    fn start_line(&mut self) {
        self.line_starts[self.index] = Some(self.line);
        self.line += 1;
    }

    fn push(&mut self, unit: u16) {
        let leaving = u64::from(self.window[self.index]);
        self.window[self.index] = unit;
        self.hash = FACTOR
            .wrapping_mul(self.hash)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(self.first_factor.wrapping_mul(leaving));
        self.index = (self.index + 1) % WINDOW;
    }

    fn finish(mut self) -> Vec<String> {
        for _ in 0..WINDOW {
            if self.line_starts[self.index].is_some() {
                self.emit_at_window();
            }
            self.push(0);
        }
        self.hashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the action's own tests.
    #[test]
    fn hashes_equal_those_of_the_action() {
        assert_eq!(line_hashes(""), ["c129715d7a2bc9a3:1"]);
        assert_eq!(
            line_hashes(" a\nb\n  \t\tc\n d"),
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]
        );
        assert_eq!(
            line_hashes(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End"),
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1"
            ]
        );
        let greeting = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        for text in [
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n",
            " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r",
            " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n",
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
        ] {
            assert_eq!(line_hashes(text), greeting);
        }
        let repeated = line_hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(repeated[..2], ["a7f2ff13bc495cf2:1", "a7f2ff13bc495cf2:2"]);
        assert_eq!(
            repeated[6..],
            [
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1"
            ]
        );
    }
}
