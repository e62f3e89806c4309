//! The outbox: a folder for each endpoint with a file for each request that is not answered yet, and one for each
//! receipt. Files appear whole or not at all and are on the disk before anything is sent, so that a run that is killed
//! loses nothing; the next run sends the same request under the same id. No file holds a key.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use sha2::Digest as _;

use crate::finding::Receipt;

/// Larger files are not ours.
const MAX_FILE: u64 = 64 * 1024;

/// The outbox cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the outbox {place}: {why}")]
pub struct OutboxError {
    place: String,
    why: String,
}

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The `webhook-id`.
    pub(super) id: String,
    /// SHA-256 of the key.
    pub(super) fingerprint: String,
    /// Whether the key is added when it is sent.
    pub(super) send_secret: bool,
    /// The body, without the key.
    pub(super) body: Value,
}

impl Entry {
    /// Wraps a body.
    pub(super) fn new(body: Value, send_secret: bool) -> Self {
        let text = |key: &str| body["data"][key].as_str().unwrap_or_default().to_owned();
        Self { id: text("id"), fingerprint: text("fingerprint"), send_secret, body }
    }
}

/// The folder of one endpoint, held by this process alone.
#[derive(Debug)]
pub(super) struct Outbox {
    pending: PathBuf,
    receipts: PathBuf,
    /// Holds the lock until it is dropped, or the process dies.
    _lock: File,
}

impl Outbox {
    /// Opens or makes the folder. Another endpoint has another folder, so that no request reaches the wrong one.
    pub(super) fn open(folder: &Path, endpoint: &str) -> Result<Self, OutboxError> {
        let digest = sha2::Sha256::digest(endpoint);
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let own = folder.join(name);
        let wrong = |error: io::Error| OutboxError {
            place: folder.display().to_string(),
            why: error.to_string(),
        };
        let (pending, receipts) = (own.join("pending"), own.join("receipts"));
        for folder in [&pending, &receipts] {
            make_private(folder).map_err(wrong)?;
        }
        for folder in [folder, &own] {
            sync(folder).map_err(wrong)?;
        }
        let lock = File::create(own.join("lock")).map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        let outbox = Self { pending, receipts, _lock: lock };
        outbox.sweep().map_err(wrong)?;
        Ok(outbox)
    }

    /// Clears up after a run that was killed: files that it had not finished, and requests whose receipt it had kept.
    fn sweep(&self) -> io::Result<()> {
        let unfinished = [files(&self.pending, "tmp")?, files(&self.receipts, "tmp")?].concat();
        let is_settled = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default();
            read::<Receipt>(&self.receipts.join(name)).is_some()
        };
        let settled = files(&self.pending, "json")?.into_iter().filter(is_settled);
        unfinished.into_iter().chain(settled).try_for_each(fs::remove_file)
    }

    /// Takes a request in, unless it waits already: what was asked first is what is sent.
    pub(super) fn put(&self, entry: &Entry) -> Result<(), OutboxError> {
        let waiting = read::<Entry>(&self.pending.join(name(&entry.id)));
        if waiting.is_some_and(|waiting| waiting.send_secret == entry.send_secret) {
            return Ok(());
        }
        write(&self.pending, &entry.id, entry)
    }

    /// All requests that wait, in the order of their ids.
    pub(super) fn pending(&self) -> Result<Vec<Entry>, OutboxError> {
        let files = files(&self.pending, "json").map_err(|error| self.error(&error))?;
        let entry = |file: &PathBuf| {
            read(file).ok_or_else(|| OutboxError {
                place: file.display().to_string(),
                why: "this file is damaged; remove it and scan again".to_owned(),
            })
        };
        files.iter().map(entry).collect()
    }

    /// Keeps a receipt, and only then forgets the request.
    pub(super) fn settle(&self, receipt: &Receipt) -> Result<(), OutboxError> {
        write(&self.receipts, &receipt.id, receipt)?;
        fs::remove_file(self.pending.join(name(&receipt.id))).map_err(|error| self.error(&error))
    }

    /// Makes a request possible for which there is a receipt.
    pub(super) fn reopen(&self, id: &str) -> Result<(), OutboxError> {
        match fs::remove_file(self.receipts.join(name(id))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.error(&error)),
            _ => Ok(()),
        }
    }

    /// The receipt of an earlier run; it needed no attempt in this one.
    pub(super) fn receipt(&self, id: &str) -> Option<Receipt> {
        let receipt: Receipt = read(&self.receipts.join(name(id)))?;
        Some(Receipt { attempts: 0, ..receipt })
    }

    fn error(&self, error: &io::Error) -> OutboxError {
        OutboxError { place: self.pending.display().to_string(), why: error.to_string() }
    }
}

fn name(id: &str) -> String {
    format!("{id}.json")
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Brings the names in a folder to the disk.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The files of one kind, sorted.
fn files(folder: &Path, kind: &str) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == kind));
    files.sort();
    Ok(files)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    let mut bytes = vec![];
    File::open(path).ok()?.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Writes a file beside its place, brings it to the disk, and renames it.
fn write(folder: &Path, id: &str, value: &impl Serialize) -> Result<(), OutboxError> {
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().suffix(".tmp").tempfile_in(folder)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(name(id)))?;
        sync(folder)
    };
    write().map_err(|error| OutboxError {
        place: folder.display().to_string(),
        why: error.to_string(),
    })
}
