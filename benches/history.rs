//! How fast history is read, against the least that must be done: inflating every entry of the packs once.
//!
//! `SIGNLEAK_BENCH_REPO=/a/repository cargo bench --bench history`; without it, this repository.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use divan::Bencher;
use divan::counter::BytesCount;
use libdeflater::Decompressor;
use memmap2::Mmap;
use rayon::prelude::*;
use signleak::coverage::Coverage;
use signleak::decode::Limits;
use signleak::detect::Detector;
use signleak::rule::RuleSet;
use signleak::sieve::Sieve as _;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;
use signleak::source::git::SiftOptions;

fn main() {
    divan::main();
}

/// The whole pass as `scan --history-only` makes it, attribution left out.
#[divan::bench(sample_count = 7, sample_size = 1)]
fn sift(bencher: Bencher<'_, '_>) {
    let detector = detector();
    let repo = repo();
    let pass = || {
        let mut coverage = Coverage::default();
        let look = |bytes: &[u8], is_hinted: bool| detector.may_hold(bytes, is_hinted);
        let sifted = repo.sift(detector.prefilter(), &look, &SiftOptions::default(), &mut coverage);
        sifted.expect("it sifts");
        coverage.object_bytes
    };
    bencher.counter(BytesCount::new(pass())).bench(pass);
}

/// The floor: every entry of every pack inflated once, in parallel, and nothing done with it.
#[divan::bench(sample_count = 7, sample_size = 1)]
fn inflate_every_entry(bencher: Bencher<'_, '_>) {
    let packs = packs(&repo_path());
    let pass = || packs.iter().map(inflate_all).sum::<usize>();
    bencher.counter(BytesCount::new(pass())).bench(pass);
}

/// The prefilter over a text that holds none of its words.
#[divan::bench]
fn prefilter(bencher: Bencher<'_, '_>) {
    let detector = detector();
    let text = include_bytes!("../LICENSE-APACHE").repeat(1 << 10);
    let sieve = detector.prefilter();
    bencher.counter(BytesCount::new(text.len())).bench(|| sieve.may_match(divan::black_box(&text)));
}

fn detector() -> Detector {
    Detector::new(RuleSet::built_in().expect("the built-in rules are valid"), Limits::default())
}

fn repo_path() -> PathBuf {
    let named = std::env::var_os("SIGNLEAK_BENCH_REPO");
    named.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn repo() -> Repo {
    let options = OpenOptions { trust_owner: true };
    Repo::discover(&repo_path(), &options).expect("it opens").expect("it is a repository")
}

/// A pack, and where its entries' compressed bytes start and end, with the size they inflate to.
type Entries = (Mmap, Vec<(usize, usize, usize)>);

/// Reads the packs by a few lines of their own, so that the floor does not profit from what it is the floor of.
fn packs(repo: &Path) -> Vec<Entries> {
    let folders = [".git/objects/pack", "objects/pack"].map(|folder| repo.join(folder));
    let folder = folders.iter().find(|folder| folder.is_dir()).expect("a folder of packs");
    let files = folder.read_dir().expect("readable").map(|file| file.expect("readable").path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .map(|path| entries(&path))
        .collect()
}

fn entries(idx: &Path) -> Entries {
    let (index, pack) = (map(idx), map(&idx.with_extension("pack")));
    let number =
        |at: usize| u32::from_be_bytes(index[at..at + 4].try_into().expect("4 bytes")) as usize;
    let count = number(8 + 255 * 4);
    let table = 8 + 1024 + count * 24;
    let mut offsets: Vec<usize> = (0..count).map(|at| number(table + at * 4)).collect();
    offsets.sort_unstable();
    offsets.push(pack.len() - 20);
    let entries = offsets.windows(2).map(|pair| {
        let mut at = pair[0];
        let kind = pack[at] >> 4 & 7;
        let (mut size, mut shift) = (usize::from(pack[at] & 15), 4);
        while pack[at] & 0x80 != 0 {
            at += 1;
            size |= usize::from(pack[at] & 0x7f) << shift;
            shift += 7;
        }
        at += 1;
        match kind {
            6 => at += 1 + pack[at..].iter().position(|byte| byte & 0x80 == 0).expect("an end"),
            7 => at += 20,
            _ => {}
        }
        (at, pair[1], size)
    });
    let entries = entries.collect();
    (pack, entries)
}

fn inflate_all((pack, entries): &Entries) -> usize {
    let fold = entries.par_iter().with_min_len(256).fold(
        || (Decompressor::new(), vec![], 0),
        |(mut inflater, mut out, total), &(start, end, size)| {
            if out.len() < size {
                out.resize(size, 0);
            }
            let written = inflater.zlib_decompress(&pack[start..end], &mut out[..size]);
            (inflater, out, total + written.expect("a sound entry"))
        },
    );
    fold.map(|(.., total)| total).sum()
}

#[expect(unsafe_code, reason = "the floor maps packs as the engine does")]
fn map(path: &Path) -> Mmap {
    let file = File::open(path).expect("it opens");
    // SAFETY: nobody changes the repository during the measurement.
    unsafe { Mmap::map(&file) }.expect("it maps")
}
