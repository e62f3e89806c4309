//! What refs bring beside commits: the refs' names, the messages of annotated tags, and files or trees that a ref or tag names
//! directly. A push can carry a secret in each of them.

use std::path::Path;

use git2::{ObjectType, Oid, Repository};

use super::object::message_text;
use super::repo::Repo;
use crate::blob::{BlobId, BlobPath};
use crate::coverage::Coverage;
use crate::coverage::GapKind;
use crate::provenance::Origin;
use crate::provenance::Provenance;

/// Tags of tags are followed this deep.
const TAG_DEPTH: usize = 64;

/// A ref and the object that it shall name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRef {
    /// Full name, as the receiver knows it.
    pub name: Vec<u8>,
    /// The object, in hexadecimal.
    pub id: String,
}

impl Repo {
    /// The texts that `refs` bring beside commits, each with its place. What cannot be read becomes a gap.
    #[must_use]
    pub fn pushed_texts(
        &self,
        refs: &[PushedRef],
        coverage: &mut Coverage,
    ) -> Vec<(Provenance, Vec<u8>)> {
        let mut texts = vec![];
        let git = self.git2();
        for pushed in refs {
            let name = Provenance::plain(Origin::RefName, BlobPath::new(&pushed.name));
            texts.push((name, pushed.name.clone()));
            let read = match &git {
                Ok(git) => Oid::from_str(&pushed.id)
                    .and_then(|id| follow(git, (&pushed.name, id), &mut texts)),
                Err(error) => Err(git2::Error::from_str(error.message())),
            };
            if let Err(error) = read {
                let detail = format!("what the ref names was not scanned: {}", error.message());
                let place = String::from_utf8_lossy(&pushed.name).into_owned();
                coverage.gap(GapKind::MissingObject, place, detail);
            }
        }
        texts
    }
}

impl Repo {
    /// What the commit that `revision` names holds at `path`; `None` if it holds nothing there, or names no commit.
    ///
    /// # Errors
    /// When an object is missing or damaged.
    pub fn file_at(&self, revision: &str, path: &str) -> Result<Option<Vec<u8>>, git2::Error> {
        let git = self.git2()?;
        let Ok(commit) = git.revparse_single(revision)?.peel_to_commit() else { return Ok(None) };
        match commit.tree()?.get_path(Path::new(path)) {
            Ok(entry) if entry.kind() == Some(ObjectType::Blob) => {
                Ok(Some(git.find_blob(entry.id())?.content().to_vec()))
            }
            Ok(_) => Ok(None),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Follows a ref through its tags down to a file or tree; commits are left to the range.
fn follow(
    git: &Repository,
    (name, mut id): (&[u8], Oid),
    texts: &mut Vec<(Provenance, Vec<u8>)>,
) -> Result<(), git2::Error> {
    let objects = git.odb()?;
    for _ in 0..TAG_DEPTH {
        let object = objects.read(id)?;
        let place = |origin| Provenance {
            blob_id: BlobId::from_bytes(id.as_bytes()),
            ..Provenance::plain(origin, BlobPath::new(name))
        };
        match object.kind() {
            ObjectType::Tag => {
                texts.push((place(Origin::TagMessage), message_text(object.data())));
                id = git.find_tag(id)?.target_id();
            }
            ObjectType::Blob => {
                texts.push((place(Origin::History), object.data().to_vec()));
                return Ok(());
            }
            ObjectType::Tree => return follow_tree(git, id, texts),
            _ => return Ok(()),
        }
    }
    Err(git2::Error::from_str("too many tags of tags"))
}

fn follow_tree(
    git: &Repository,
    top: Oid,
    texts: &mut Vec<(Provenance, Vec<u8>)>,
) -> Result<(), git2::Error> {
    let mut pending = vec![(top, vec![])];
    while let Some((id, folder)) = pending.pop() {
        for entry in git.find_tree(id)?.iter() {
            let path: Vec<u8> = [&folder, entry.name_bytes()].concat();
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    pending.push((entry.id(), [&path, b"/".as_slice()].concat()));
                }
                Some(ObjectType::Blob) => {
                    let place = Provenance {
                        blob_id: BlobId::from_bytes(entry.id().as_bytes()),
                        ..Provenance::plain(Origin::History, BlobPath::new(&path))
                    };
                    texts.push((place, git.find_blob(entry.id())?.content().to_vec()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
