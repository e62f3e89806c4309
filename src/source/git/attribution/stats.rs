//! What history says about each place: who introduced it, how it is reached, since when and until when.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::paths::{ListId, Paths, Place};
use crate::provenance::Reachability;

/// What is known about one object at one path.
#[derive(Clone, Debug)]
pub(crate) struct PlaceStats {
    /// Time and number of the newest commit that holds it.
    pub(crate) newest: (i64, u32),
    pub(crate) reachability: Reachability,
    /// Whether what reaches it are notes only.
    pub(crate) is_note: bool,
    pub(crate) in_head: bool,
    /// Numbers of the tips that hold it.
    pub(crate) tips: Vec<u32>,
    /// Commits that hold it while none of their parents does, in the order of the graph.
    pub(crate) introduced: Vec<Introduction>,
    /// Time and number of the newest commit that does not hold it while a parent does.
    pub(crate) removed: Option<(i64, u32)>,
}

/// A commit that holds an object at a path, as none of its parents does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Introduction {
    pub(crate) commit: u32,
    /// The path under which a parent holds the object and the commit does not.
    pub(crate) renamed_from: Option<u32>,
}

impl PlaceStats {
    /// Puts the commit to name in front: the oldest among those that are reached best.
    fn sort(&mut self, graph: &Graph) {
        self.tips.sort_unstable();
        self.introduced.sort_by_key(|&Introduction { commit, .. }| {
            (graph.reachability(commit), graph.times[commit as usize], commit)
        });
    }
}

/// What is known about the commits whose trees share a list of places.
#[derive(Clone, Debug)]
struct ListStats {
    newest: (i64, u32),
    reachability: Reachability,
    has_note: bool,
    has_other: bool,
    in_head: bool,
    tips: Vec<u32>,
}

/// Works out all places.
pub(crate) fn places(graph: &Graph, paths: &Paths) -> BTreeMap<Place, PlaceStats> {
    let list = |tree| paths.find(tree).map_or(0, |tree| paths.list(tree));
    let of_commit: Vec<ListId> = graph.trees.iter().map(list).collect();
    let mut places = BTreeMap::new();
    for (list, stats) in lists(graph, &of_commit) {
        paths.lists[list as usize].iter().for_each(|&place| join(&mut places, place, &stats));
    }
    for (at, commit) in (0_u32..).take(of_commit.len()).enumerate() {
        compare(graph, paths, &of_commit, (at, commit), &mut places);
    }
    places.values_mut().for_each(|stats| stats.sort(graph));
    places
}

/// Sums up the commits of each list.
fn lists(graph: &Graph, of_commit: &[ListId]) -> BTreeMap<ListId, ListStats> {
    let mut lists: BTreeMap<ListId, ListStats> = BTreeMap::new();
    for (commit, &list) in (0_u32..).zip(of_commit).filter(|(_, list)| **list != 0) {
        let reachability = graph.reachability(commit);
        let newest = (graph.times[commit as usize], commit);
        let stats = lists.entry(list).or_insert_with(|| ListStats {
            newest,
            reachability,
            has_note: false,
            has_other: false,
            in_head: false,
            tips: vec![],
        });
        stats.newest = stats.newest.max(newest);
        stats.reachability = stats.reachability.min(reachability);
        stats.has_note |= graph.is_note(commit);
        stats.has_other |= reachability == Reachability::Reachable && !graph.is_note(commit);
        stats.in_head |= graph.head == Some(commit);
    }
    for (tip, (_, commit)) in (0_u32..).zip(&graph.tips) {
        if let Some(stats) = lists.get_mut(&of_commit[*commit as usize]) {
            stats.tips.push(tip);
        }
    }
    lists
}

fn join(places: &mut BTreeMap<Place, PlaceStats>, place: Place, list: &ListStats) {
    let stats = places.entry(place).or_insert_with(|| PlaceStats {
        newest: list.newest,
        reachability: list.reachability,
        is_note: true,
        in_head: false,
        tips: vec![],
        introduced: vec![],
        removed: None,
    });
    stats.newest = stats.newest.max(list.newest);
    stats.reachability = stats.reachability.min(list.reachability);
    stats.is_note &=
        !list.has_other && (list.has_note || list.reachability != Reachability::Reachable);
    stats.in_head |= list.in_head;
    stats.tips.extend_from_slice(&list.tips);
}

/// Compares a commit with its parents.
fn compare(
    graph: &Graph,
    paths: &Paths,
    of_commit: &[ListId],
    (at, commit): (usize, u32),
    places: &mut BTreeMap<Place, PlaceStats>,
) {
    let own = of_commit[at];
    let parents = graph.parents(commit).iter().map(|&parent| of_commit[parent as usize]);
    let parents: Vec<ListId> = parents.collect();
    let holds =
        |list: ListId, place: &Place| paths.lists[list as usize].binary_search(place).is_ok();
    if !parents.contains(&own) {
        for place in &paths.lists[own as usize] {
            if !parents.iter().any(|&parent| holds(parent, place))
                && let Some(stats) = places.get_mut(place)
            {
                let renamed_from = parents.iter().find_map(|&parent| {
                    let mut held = same_object(&paths.lists[parent as usize], place.0);
                    held.find(|held| !holds(own, held)).map(|(_, path)| *path)
                });
                stats.introduced.push(Introduction { commit, renamed_from });
            }
        }
    }
    for &parent in parents.iter().filter(|&&parent| parent != own) {
        for place in paths.lists[parent as usize].iter().filter(|place| !holds(own, place)) {
            if let Some(stats) = places.get_mut(place) {
                stats.removed = stats.removed.max(Some((graph.times[at], commit)));
            }
        }
    }
}

/// The places of one object in a list.
fn same_object(list: &[Place], target: u32) -> impl Iterator<Item = &Place> {
    let start = list.partition_point(|place| place.0 < target);
    list[start..].iter().take_while(move |place| place.0 == target)
}
