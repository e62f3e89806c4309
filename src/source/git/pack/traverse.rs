//! One pass over a pack in delta order: each entry is inflated once, bases are kept only along the current path.
//!
//! No recursion, so chains of any depth work. The lightest children go first and the heaviest last, when nobody else
//! needs the base any more: the bases kept at a time grow with the logarithm of the pack.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;

use super::super::object::ObjectKind;
use super::buffer::Buffer;
use super::delta::Delta;
use super::entry::{EntryError, EntryKind};
use super::forest::Forest;
use super::{Pack, Reader};
use crate::stop::Stop;

/// Roots in one task.
const ROOTS_PER_TASK: usize = 128;
/// A subtree of this weight may go to another worker.
const HANDED_WEIGHT: u32 = 64;
/// Bytes of bases that may wait for other workers.
const HANDED_BYTES: usize = 64 << 20;
/// Deltas against an entry that are asked for before it is built; those behind them are on the stack when their turn comes.
const AHEAD: usize = 2;
/// Buffers a worker keeps for reuse, and the largest of them.
const POOLED: usize = 16;
const POOLED_BYTES: usize = 4 << 20;

/// What is done with the objects of a pass.
pub(crate) trait Visit: Sync {
    /// What one worker collects.
    type State: Send;
    /// What is known about an object by those that are made from it.
    type Mark: Send + Sync;

    /// Makes a worker's state.
    fn state(&self) -> Self::State;

    /// Whether objects of this kind are visited.
    fn wants(&self, kind: ObjectKind) -> bool;

    /// Whether [`Self::pass_by`] ever lets an object pass.
    fn passes_by(&self) -> bool {
        false
    }

    /// Decides by the place alone, and by the base's mark if it has one, that nothing is to be seen of an object. Then it
    /// is built only where others need it.
    fn pass_by(&self, _stored: (usize, u32), _base: Option<&Self::Mark>) -> Option<Self::Mark> {
        None
    }

    /// Checks a delta, and may note on the way what [`Self::delta`] needs of its steps.
    fn parse<'d>(
        &self,
        _state: &mut Self::State,
        _seen: &Seen<'_>,
        base: &Base<Self::Mark>,
        bytes: &'d [u8],
    ) -> Result<Delta<'d>, EntryError> {
        Delta::parse(bytes, base.bytes.len())
    }

    /// Sees a delta before its object is built. `Some(mark)` says that the object itself need not be seen.
    fn delta(
        &self,
        state: &mut Self::State,
        seen: &Seen<'_>,
        base: &Base<Self::Mark>,
        delta: &Delta<'_>,
    ) -> Option<Self::Mark>;

    /// Sees a whole object. The mark it returns is handed to the deltas against it.
    fn whole(&self, state: &mut Self::State, seen: &Seen<'_>, bytes: &[u8]) -> Self::Mark;

    /// Learns that an entry cannot be read.
    fn damaged(&self, state: &mut Self::State, seen: &Seen<'_>, error: &EntryError);
}

/// Which object is seen.
pub(crate) struct Seen<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) kind: ObjectKind,
    /// Whether an earlier pack holds the object too.
    pub(crate) is_copy: bool,
    /// Whether no other object is made from it.
    pub(crate) is_last: bool,
    /// Number of the pack, or behind the packs of the folder of loose objects, and position in its index.
    pub(crate) stored: (usize, u32),
}

/// An object that others are made from.
pub(crate) struct Base<M> {
    pub(crate) bytes: Buffer,
    pub(crate) kind: ObjectKind,
    pub(crate) mark: M,
}

/// Visits every object of the wanted kinds until it is stopped; returns what the workers collected, in no particular order.
pub(crate) fn traverse<V: Visit>(
    (pack, forest): (&Pack, &Forest),
    earlier: &[Pack],
    visitor: &V,
    stop: &Stop,
) -> Vec<V::State> {
    let pass = Pass {
        stop,
        pack,
        forest,
        earlier,
        visitor,
        needed: visitor.passes_by().then(|| needed(forest, earlier.len(), visitor)).flatten(),
        idle: Mutex::default(),
        handed: AtomicUsize::new(0),
    };
    let mut roots = forest.roots().to_vec();
    // Heavy trees are queued first: other workers steal from that end, so that none is left over for the end.
    roots.sort_by_key(|&root| (u32::MAX - (forest.weight(root) / HANDED_WEIGHT), root));
    let heavy = roots.iter().take_while(|&&root| forest.weight(root) >= HANDED_WEIGHT).count();
    let (heavy, light) = roots.split_at(heavy);
    rayon::scope(|scope| {
        for chunk in heavy.chunks(4).chain(light.chunks(ROOTS_PER_TASK)) {
            let pass = &pass;
            scope.spawn(move |scope| pass.roots(scope, chunk));
        }
    });
    let idle = pass.idle.into_inner().unwrap_or_else(PoisonError::into_inner);
    idle.into_iter().map(|worker| worker.state).collect()
}

/// Marks the entries that are to be seen, and those on the way to them.
fn needed<V: Visit>(forest: &Forest, pack: usize, visitor: &V) -> Option<Vec<bool>> {
    let mut needed = vec![false; forest.len() as usize];
    // From the back, so that what is below an entry is known before.
    for entry in (0..forest.len()).rev() {
        let children = forest.children(entry);
        if children.first().is_some_and(|&child| child <= entry) {
            return None;
        }
        needed[entry as usize] = visitor.pass_by((pack, forest.position(entry)), None).is_none()
            || children.iter().any(|&child| needed[child as usize]);
    }
    Some(needed)
}

struct Pass<'a, V: Visit> {
    pack: &'a Pack,
    forest: &'a Forest,
    earlier: &'a [Pack],
    visitor: &'a V,
    stop: &'a Stop,
    /// For each entry whether it or one below is to be seen; `None` if all are.
    needed: Option<Vec<bool>>,
    idle: Mutex<Vec<WorkerOf<V>>>,
    /// Bytes of bases that wait for other workers.
    handed: AtomicUsize,
}

/// An entry whose base is ready.
struct Task<M> {
    entry: u32,
    base: Arc<Base<M>>,
}

type WorkerOf<V> = Worker<<V as Visit>::State, <V as Visit>::Mark>;

impl<'a, V: Visit> Pass<'a, V> {
    fn roots<'s>(&'s self, scope: &Scope<'s>, roots: &[u32])
    where
        'a: 's,
    {
        let mut worker = self.check_out();
        for (at, &root) in roots.iter().enumerate() {
            if let Some(&next) = roots.get(at + 1) {
                self.pack.fetch_ahead(self.forest.range(next).0);
            }
            self.root(&mut worker, root);
            self.drain(scope, &mut worker);
        }
        self.check_in(worker);
    }

    fn handed_over<'s>(&'s self, scope: &Scope<'s>, task: Task<V::Mark>)
    where
        'a: 's,
    {
        let bytes = task.base.bytes.len();
        let mut worker = self.check_out();
        // Directly, since `drain` would hand it over again.
        self.delta(&mut worker, task);
        self.drain(scope, &mut worker);
        self.check_in(worker);
        self.handed.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn drain<'s>(&'s self, scope: &Scope<'s>, worker: &mut WorkerOf<V>)
    where
        'a: 's,
    {
        while let Some(task) = worker.stack.pop() {
            let shared = Arc::strong_count(&task.base) > 1;
            if shared && self.forest.weight(task.entry) >= HANDED_WEIGHT {
                let bytes = task.base.bytes.len();
                if self.handed.fetch_add(bytes, Ordering::Relaxed) + bytes <= HANDED_BYTES {
                    scope.spawn(move |scope| self.handed_over(scope, task));
                    continue;
                }
                self.handed.fetch_sub(bytes, Ordering::Relaxed);
            }
            if let [.., after, next] = &worker.stack[..] {
                self.forest.fetch_ahead(after.entry);
                self.pack.fetch_ahead(self.forest.range(next.entry).0);
            }
            self.delta(worker, task);
        }
    }

    /// Whether an entry or one below it is to be seen, as far as its base's mark tells.
    fn is_needed(&self, entry: u32, base: Option<&V::Mark>) -> bool {
        let is_needed = |needed: &Vec<bool>| {
            needed[entry as usize] || self.visitor.pass_by(self.stored(entry), base).is_none()
        };
        self.needed.as_ref().is_none_or(is_needed)
    }

    fn stored(&self, entry: u32) -> (usize, u32) {
        (self.earlier.len(), self.forest.position(entry))
    }

    fn root(&self, worker: &mut WorkerOf<V>, root: u32) {
        if !self.is_needed(root, None) || self.stop.is_due() {
            return;
        }
        let (start, end) = self.forest.range(root);
        let Ok(entry) = self.pack.entry(start, end) else { return };
        let EntryKind::Whole(kind) = entry.kind else {
            self.orphan(worker, root);
            return;
        };
        if !self.visitor.wants(kind) {
            return;
        }
        let mut bytes = worker.buffer();
        match self.pack.inflate((start, end), &mut worker.reader.inflater, &mut bytes) {
            Ok(()) => self.seed(worker, root, kind, bytes),
            Err(error) => self.lost(worker, root, kind, &error),
        }
    }

    /// Takes a delta whose base the index does not name for a root: the pack may hold the base all the same.
    fn orphan(&self, worker: &mut WorkerOf<V>, root: u32) {
        match self.pack.read(self.forest.position(root), &mut worker.reader) {
            Ok(object) if self.visitor.wants(object.kind) => {
                let mut bytes = worker.buffer();
                match bytes.resize(object.bytes.len() as u64) {
                    Ok(_) => bytes.copy_from_slice(&object.bytes),
                    Err(error) => return self.lost(worker, root, object.kind, &error),
                }
                self.seed(worker, root, object.kind, bytes);
            }
            Ok(_) => {}
            Err(error) => self.lost(worker, root, ObjectKind::Blob, &error),
        }
    }

    /// Shows a root and queues the deltas against it.
    fn seed(&self, worker: &mut WorkerOf<V>, root: u32, kind: ObjectKind, bytes: Buffer) {
        let seen = self.seen(root, kind);
        let passed_by = self.visitor.pass_by(seen.stored, None);
        let mark =
            passed_by.unwrap_or_else(|| self.visitor.whole(&mut worker.state, &seen, &bytes));
        self.grow(worker, root, Base { bytes, kind, mark });
    }

    fn delta(&self, worker: &mut WorkerOf<V>, task: Task<V::Mark>) {
        let Task { entry, base } = task;
        if self.stop.is_due() {
            return;
        }
        match self.resolve(worker, entry, &base) {
            Ok(Some(made)) => self.grow(worker, entry, made),
            Ok(None) => {}
            Err(error) => self.lost(worker, entry, base.kind, &error),
        }
        if let Some(base) = Arc::into_inner(base) {
            worker.recycle(base.bytes);
        }
    }

    /// Shows a delta, and its object if need be; returns the object if others are made from it.
    fn resolve(
        &self,
        worker: &mut WorkerOf<V>,
        entry: u32,
        base: &Base<V::Mark>,
    ) -> Result<Option<Base<V::Mark>>, EntryError> {
        let range = self.forest.range(entry);
        let children = self.forest.children(entry);
        children.iter().take(AHEAD).for_each(|&child| self.forest.fetch_ahead(child));
        self.pack.inflate(range, &mut worker.reader.inflater, &mut worker.delta)?;
        for &child in children.iter().take(AHEAD) {
            self.pack.fetch_ahead(self.forest.range(child).0);
        }
        let seen = self.seen(entry, base.kind);
        let (delta, settled) = match self.visitor.pass_by(seen.stored, Some(&base.mark)) {
            Some(mark) => (Delta::parse(&worker.delta, base.bytes.len())?, Some(mark)),
            None => {
                let delta = self.visitor.parse(&mut worker.state, &seen, base, &worker.delta)?;
                (delta, self.visitor.delta(&mut worker.state, &seen, base, &delta))
            }
        };
        if let Some(mark) = &settled
            && !children.iter().any(|&child| self.is_needed(child, Some(mark)))
        {
            return Ok(None);
        }
        self.pack.charge(delta.size)?;
        let mut bytes = worker.pool.pop().unwrap_or_default();
        delta.apply(&base.bytes, &mut bytes)?;
        let mark = settled.unwrap_or_else(|| self.visitor.whole(&mut worker.state, &seen, &bytes));
        Ok(Some(Base { bytes, kind: base.kind, mark }))
    }

    /// Queues the deltas against `base`.
    fn grow(&self, worker: &mut WorkerOf<V>, entry: u32, base: Base<V::Mark>) {
        let children = self.forest.children(entry);
        let base = Arc::new(base);
        let first = worker.stack.len();
        let needed =
            children.iter().rev().filter(|&&child| self.is_needed(child, Some(&base.mark)));
        worker.stack.extend(needed.map(|&entry| Task { entry, base: Arc::clone(&base) }));
        if let Some(base) = Arc::into_inner(base) {
            worker.recycle(base.bytes);
            return;
        }
        // The last is taken first; among equals the first in the pack, so that what a processor fetches ahead is what comes next.
        worker.stack[first..]
            .sort_unstable_by_key(|task| Reverse((self.forest.weight(task.entry), task.entry)));
    }

    /// Reports an entry that cannot be read, and all that is made from it.
    fn lost(&self, worker: &mut WorkerOf<V>, entry: u32, kind: ObjectKind, error: &EntryError) {
        self.visitor.damaged(&mut worker.state, &self.seen(entry, kind), error);
        self.forest.descendants(entry, |entry| {
            self.visitor.damaged(&mut worker.state, &self.seen(entry, kind), &EntryError::Base);
        });
    }

    fn seen(&self, entry: u32, kind: ObjectKind) -> Seen<'a> {
        let position = self.forest.position(entry);
        let id = self.pack.index.id(position);
        let is_copy = self.earlier.iter().any(|pack| pack.index.find(id).is_some());
        let is_last = self.forest.children(entry).is_empty();
        Seen { id, kind, is_copy, is_last, stored: self.stored(entry) }
    }

    fn check_out(&self) -> WorkerOf<V> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Worker {
            reader: Reader::new(),
            state: self.visitor.state(),
            delta: Buffer::default(),
            pool: vec![],
            stack: vec![],
        })
    }

    fn check_in(&self, worker: WorkerOf<V>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

/// What one worker owns; between tasks it waits in [`Pass::idle`].
struct Worker<S, M> {
    reader: Reader,
    state: S,
    delta: Buffer,
    pool: Vec<Buffer>,
    stack: Vec<Task<M>>,
}

impl<S, M> Worker<S, M> {
    fn buffer(&mut self) -> Buffer {
        self.pool.pop().unwrap_or_default()
    }

    fn recycle(&mut self, buffer: Buffer) {
        if self.pool.len() < POOLED && buffer.capacity() <= POOLED_BYTES {
            self.pool.push(buffer);
        }
    }
}
