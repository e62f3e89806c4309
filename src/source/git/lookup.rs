//! Single objects by id, for what needs a few of them: opens a pack only when an object is not loose, and lists nothing.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::loose;
use super::object::ObjectKind;
use super::pack::buffer::Buffer;
use super::pack::entry::EntryError;
use super::pack::{Object, Pack, Reader};
use super::repo::Repo;
use super::store::{object_folders, open_packs};
use crate::blob::BlobId;
use crate::coverage::Coverage;

/// The objects of a repository and of its alternates.
pub(crate) struct Lookup {
    folders: Vec<PathBuf>,
    hash_len: usize,
    packs: OnceLock<Vec<Pack>>,
}

impl Lookup {
    /// Looks where the repository keeps objects.
    pub(crate) fn of(repo: &Repo) -> Self {
        // What is missing is told of the object that is not found.
        let folders = object_folders(repo, &mut Coverage::default()).into_iter().collect();
        Self { folders, hash_len: repo.hash_len, packs: OnceLock::new() }
    }

    /// Reads an object; a damaged copy is passed over if there is another.
    pub(crate) fn read(&self, id: &BlobId, reader: &mut Reader) -> Result<Object, EntryError> {
        let mut failed = EntryError::Missing;
        for folder in &self.folders {
            let path = loose::path(folder, id);
            let mut bytes = Buffer::default();
            match loose::read(&path, &mut reader.inflater, &mut bytes) {
                Ok(kind) => return Ok(Object { kind, bytes: Arc::new(bytes) }),
                Err(error) if path.exists() => failed = error,
                Err(_) => {}
            }
        }
        for pack in self.packs() {
            if let Some(position) = pack.index.find(id.as_bytes()) {
                match pack.read(position, reader) {
                    Ok(object) => return Ok(object),
                    Err(error) => failed = error,
                }
            }
        }
        Err(failed)
    }

    /// Reads an object of a known kind.
    pub(crate) fn read_kind(
        &self,
        id: &BlobId,
        kind: ObjectKind,
        reader: &mut Reader,
    ) -> Result<Object, EntryError> {
        let object = self.read(id, reader)?;
        if object.kind == kind { Ok(object) } else { Err(EntryError::Header) }
    }

    fn packs(&self) -> &[Pack] {
        self.packs.get_or_init(|| {
            let opened =
                |folder: &PathBuf| open_packs(folder, self.hash_len, &mut Coverage::default());
            self.folders.iter().flat_map(opened).collect()
        })
    }
}
