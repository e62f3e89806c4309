//! Measures the history engine on a repository: `sift REPO [walk|sift|novel] [KEY]`. Not part of the product.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aho_corasick::AhoCorasick;
use signleak::blob::Sieve;
use signleak::coverage::Coverage;
use signleak::source::git::{OpenOptions, Repo, SiftOptions};

struct Words(AhoCorasick, usize);

impl Sieve for Words {
    fn may_match(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    fn is_opaque(&self, _head: &[u8]) -> bool {
        false
    }

    fn longest_form(&self) -> usize {
        self.1
    }
}

#[expect(clippy::print_stdout, reason = "it prints measurements")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let path = arguments.get(1).map_or(".", String::as_str);
    let mode = arguments.get(2).map_or("sift", String::as_str);
    let start = Instant::now();
    let repo = Repo::discover(Path::new(path), &OpenOptions::default())?.ok_or("no repository")?;
    let mut coverage = Coverage::default();
    if mode == "walk" {
        let bytes = AtomicU64::new(0);
        repo.walk(
            &|_, _, content| drop(bytes.fetch_add(content.len() as u64, Ordering::Relaxed)),
            &mut coverage,
        );
    } else {
        let words: Vec<&str> =
            arguments.get(3).map_or("yousign", String::as_str).split(',').collect();
        let longest = words.iter().map(|word| word.len()).max().unwrap_or(1);
        let finder = AhoCorasick::builder().ascii_case_insensitive(true).build(&words)?;
        let sieve = Words(finder, longest);
        let options = SiftOptions { verify_objects: mode == "verify", ..SiftOptions::default() };
        let sifted = repo.sift(&sieve, &|bytes| sieve.may_match(bytes), &options, &mut coverage)?;
        println!("sift {:?}", start.elapsed());
        let located = repo.attribute(&sifted)?;
        println!("attributed {} in {:?}", located.len(), start.elapsed());
        if mode == "show" {
            for found in &located {
                println!("{:#?}", found.places);
            }
        }
    }
    println!("{:?}", start.elapsed());
    println!(
        "{} objects, {} blobs, {} bytes, {} commits, {} refs",
        coverage.objects, coverage.blobs, coverage.object_bytes, coverage.commits, coverage.refs
    );
    for (kind, count) in coverage.gap_counts() {
        println!("gap {kind:?} {count}");
    }
    Ok(())
}
