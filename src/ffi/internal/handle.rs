//! The registry: handles are numbers, of a pointer's type, but never addresses.
//!
//! So a handle that is stale, of the wrong kind or made up is told apart without ever being
//! followed.

use std::collections::btree_map::Entry;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::boundary::Fault;
use crate::ffi::status::{RESUP_E_FREED, RESUP_E_HANDLE, RESUP_E_HANDLE_KIND, RESUP_E_NULL};

/// The lowest bits of a handle are its kind. None is aligned like a pointer.
const TAG_BITS: u32 = 3;
pub(crate) const CLIENT: usize = 1;
pub(crate) const UPLOAD: usize = 3;

/// All objects of one kind that have not been freed.
pub(crate) struct Registry<T> {
    noun: &'static str,
    tag: usize,
    table: OnceLock<RwLock<Table<T>>>,
}

/// (A hash map keeps no pointer to the beginning of its memory: a memory checker would report what a program has not freed, and
/// the table itself, as perhaps lost.)
struct Table<T> {
    next: usize,
    live: BTreeMap<usize, Arc<T>>,
}

impl<T> Registry<T> {
    pub(crate) const fn new(noun: &'static str, tag: usize) -> Self {
        Registry {
            noun,
            tag,
            table: OnceLock::new(),
        }
    }

    fn table(&self) -> &RwLock<Table<T>> {
        self.table.get_or_init(|| {
            RwLock::new(Table {
                next: 1,
                live: BTreeMap::new(),
            })
        })
    }

    /// Makes a handle for `object`.
    pub(crate) fn insert(&self, object: T) -> usize {
        let mut table = self.table().write().unwrap_or_else(PoisonError::into_inner);
        loop {
            let handle = (table.next << TAG_BITS) | self.tag;
            // After 2^29 handles a 32-bit program begins anew, past those that still live.
            table.next = (table.next + 1) & (usize::MAX >> TAG_BITS);
            if let Entry::Vacant(vacant) = table.live.entry(handle) {
                vacant.insert(Arc::new(object));
                return handle;
            }
        }
    }

    /// Returns the object of a handle.
    pub(crate) fn get(&self, handle: usize) -> Result<Arc<T>, Fault> {
        let table = self.table().read().unwrap_or_else(PoisonError::into_inner);
        match table.live.get(&handle) {
            Some(object) => Ok(object.clone()),
            None => Err(self.fault(handle, table.next)),
        }
    }

    /// Ends a handle, and returns its object.
    pub(crate) fn remove(&self, handle: usize) -> Result<Arc<T>, Fault> {
        let mut table = self.table().write().unwrap_or_else(PoisonError::into_inner);
        let removed = table.live.remove(&handle);
        if table.live.is_empty() {
            // An empty map keeps some memory.
            table.live = BTreeMap::new();
        }
        removed.ok_or_else(|| self.fault(handle, table.next))
    }

    fn fault(&self, handle: usize, next: usize) -> Fault {
        let noun = self.noun;
        let tag = handle & ((1 << TAG_BITS) - 1);
        if handle == 0 {
            Fault::new(RESUP_E_NULL, format!("what must be {noun} is NULL"))
        } else if tag == self.tag && handle >> TAG_BITS < next {
            Fault::new(
                RESUP_E_FREED,
                format!("{handle:#x} was {noun} and has been freed before"),
            )
        } else if tag != self.tag && (tag == CLIENT || tag == UPLOAD) {
            Fault::new(
                RESUP_E_HANDLE_KIND,
                format!("{handle:#x} is not {noun} but the other kind of handle"),
            )
        } else {
            Fault::new(RESUP_E_HANDLE, format!("{handle:#x} never was {noun}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_handle_has_its_own_status() {
        let registry = Registry::<u8>::new("a thing", CLIENT);
        let handle = registry.insert(7);
        assert_eq!(*registry.get(handle).unwrap(), 7);
        let status = |handle| registry.get(handle).unwrap_err().status;
        assert_eq!(status(0), RESUP_E_NULL);
        assert_eq!(status(handle ^ CLIENT ^ UPLOAD), RESUP_E_HANDLE_KIND);
        assert_eq!(status(0x7fff_1230), RESUP_E_HANDLE);
        assert_eq!(status(handle + (1 << TAG_BITS)), RESUP_E_HANDLE);
        registry.remove(handle).unwrap();
        assert_eq!(status(handle), RESUP_E_FREED);
        assert_eq!(registry.remove(handle).unwrap_err().status, RESUP_E_FREED);
        assert_ne!(registry.insert(8), handle, "numbers are not used again");
    }
}
