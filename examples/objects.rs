//! Prints the id, kind and size of every object of a repository, as `git cat-file --batch-check` does, and fails if the
//! bytes of one do not hash to its id. `.ci/differential` compares the lines with git's.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use sha2::Digest as _;
use signleak::blob::BlobId;
use signleak::coverage::Coverage;
use signleak::source::git::ObjectKind;
use signleak::source::git::OpenOptions;
use signleak::source::git::Repo;

fn main() -> anyhow::Result<ExitCode> {
    let path = std::env::args_os().nth(1).ok_or_else(|| anyhow::anyhow!("name a repository"))?;
    let repo = Repo::discover(Path::new(&path), &OpenOptions { trust_owner: true })?
        .ok_or_else(|| anyhow::anyhow!("is no repository"))?;
    let seen = Mutex::new(vec![]);
    let mut coverage = Coverage::default();
    let see = |id: BlobId, kind: ObjectKind, bytes: &[u8]| {
        let line = (hash(id, kind, bytes), kind.name(), bytes.len(), id);
        seen.lock().expect("nobody panics").push(line);
    };
    repo.walk(&see, &mut coverage);
    let mut seen = seen.into_inner()?;
    seen.sort_unstable_by_key(|(.., id)| *id);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut is_sound = coverage.is_complete();
    for (hash, kind, size, id) in seen {
        is_sound &= hash == id;
        writeln!(out, "{hash} {kind} {size}")?;
    }
    for gap in coverage.gaps() {
        writeln!(out, "gap {}: {}", gap.place, gap.detail)?;
    }
    out.flush()?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The id that git would give to these bytes.
fn hash(id: BlobId, kind: ObjectKind, bytes: &[u8]) -> BlobId {
    let header = format!("{} {}\0", kind.name(), bytes.len());
    let hash = match id.as_bytes().len() {
        20 => {
            let mut hash = sha1::Sha1::new();
            hash.update(&header);
            hash.update(bytes);
            hash.finalize().to_vec()
        }
        _ => {
            let mut hash = sha2::Sha256::new();
            hash.update(&header);
            hash.update(bytes);
            hash.finalize().to_vec()
        }
    };
    BlobId::from_bytes(&hash).expect("a hash is an id")
}
