//! Changes of the records.

use crate::storage::events::Event;
use crate::storage::record::Record;

/// The most that one owner may have, finished or not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Uploads.
    pub records: Option<u64>,
    /// Bytes.
    pub bytes: Option<u64>,
}

/// What a finished upload is made of that has no record before.
#[derive(Debug, Clone, Default)]
pub struct New {
    /// The most that its owner may have with it.
    pub limits: Limits,
    /// Its pieces, whose records are deleted: their ids, and the numbers of their leases.
    pub pieces: Vec<(String, i64)>,
}

impl From<Limits> for New {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            pieces: Vec::new(),
        }
    }
}

/// A change.
pub enum Change {
    /// Adds a record, unless the file has one or the owner would go over these limits.
    Insert(Box<Record>, Limits),
    /// Saves the state of an upload.
    Save(Box<Record>),
    /// Saves the size of an upload that is open, unless the owner would go over the limit of bytes.
    Resize(Box<Record>, Limits),
    /// Saves digests of an upload that were computed later than its bytes came.
    Digests(Box<Record>),
    /// Saves that an upload is finished, unless another one is at its place. If a
    /// second one is given, it must still be at its place: its record is deleted.
    /// The record of a new one is added.
    Finish(Box<Record>, Option<Box<Record>>, Option<New>),
    /// Notes since when the files of finished uploads are gone; 0 for those that are there.
    Gone(Vec<String>, i64),
    /// Deletes a record.
    Delete(Box<Record>),
    /// Saves a signed form's nonce until that time, unless it is known already.
    Nonce(String, i64),
    /// Saves the time of the last search for what has expired.
    Clock(i64),
    /// Makes a change and, if there was something to change, adds these events.
    Logged(Box<Change>, Vec<Event>),
    /// Forgets some of the events before that time.
    ForgetEvents(i64),
    /// Begins to tell the hook of an event, unless another one has begun: then the delivery is due at another time.
    BeginDelivery {
        /// The event's id.
        event: String,
        /// When it was due.
        was_due: i64,
        /// When it is due if the attempt has no end.
        due: i64,
    },
    /// Ends the delivery of an event, or says when the next attempt is due.
    EndDelivery(String, Option<i64>),
}

impl Change {
    /// Makes it one that adds events.
    pub fn with(self, events: Vec<Event>) -> Self {
        Self::Logged(Box::new(self), events)
    }

    /// Whether it is one statement, and so a transaction by itself.
    pub(super) fn is_one_statement(&self) -> bool {
        match self {
            Change::Insert(..)
            | Change::Save(_)
            | Change::Resize(..)
            | Change::Digests(_)
            | Change::Delete(..)
            | Change::Clock(_)
            | Change::ForgetEvents(_)
            | Change::BeginDelivery { .. }
            | Change::EndDelivery(..) => true,
            Change::Finish(_, replaced, new) => {
                let has_pieces = |new: &New| !new.pieces.is_empty();
                replaced.is_none() && !new.as_ref().is_some_and(has_pieces)
            }
            Change::Gone(..) | Change::Nonce(..) | Change::Logged(..) => false,
        }
    }

    /// Returns the numbers of the leases under which it is made.
    pub(super) fn leases(&self) -> Vec<i64> {
        match self {
            Change::Save(record)
            | Change::Resize(record, _)
            | Change::Digests(record)
            | Change::Delete(record) => vec![record.lease],
            Change::Finish(record, replaced, new) => {
                let pieces = new.iter().flat_map(|new| &new.pieces);
                let others = replaced.iter().map(|record| record.lease);
                let others = others.chain(pieces.map(|(_, lease)| *lease));
                std::iter::once(record.lease).chain(others).collect()
            }
            Change::Logged(change, _) => change.leases(),
            Change::Insert(..)
            | Change::Gone(..)
            | Change::Nonce(..)
            | Change::Clock(_)
            | Change::ForgetEvents(_)
            | Change::BeginDelivery { .. }
            | Change::EndDelivery(..) => Vec::new(),
        }
    }

    /// Returns the owner whose uploads together it changes, or depends on: what they take, and which places they have.
    pub(super) fn owner(&self) -> Option<&str> {
        match self {
            Change::Logged(change, _) => return change.owner(),
            Change::Insert(record, _) | Change::Resize(record, _) | Change::Delete(record) => {
                Some(record)
            }
            Change::Finish(record, _, new) => {
                Some(record).filter(|it| new.is_some() || it.place != it.id)
            }
            _ => None,
        }
        .map(|record| record.identity.owner.as_str())
    }
}
