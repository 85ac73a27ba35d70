//! Objects by number: a number that is of none is told, and never used again.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jni::sys::jlong;

use crate::failure::Failure;

/// Objects of one kind.
pub struct Registry<T> {
    shelf: Mutex<Option<Shelf<T>>>,
}

struct Shelf<T> {
    last: jlong,
    objects: HashMap<jlong, Arc<T>>,
}

impl<T> Registry<T> {
    pub const fn new() -> Self {
        Registry {
            shelf: Mutex::new(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shelf<T>>> {
        self.shelf.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Takes an object in; its number.
    pub fn add(&self, object: T) -> jlong {
        let mut shelf = self.lock();
        let shelf = shelf.get_or_insert_with(|| Shelf {
            last: 0,
            objects: HashMap::new(),
        });
        shelf.last += 1;
        shelf.objects.insert(shelf.last, Arc::new(object));
        shelf.last
    }

    /// The object of this number.
    pub fn get(&self, number: jlong) -> Result<Arc<T>, Failure> {
        let shelf = self.lock();
        let found = shelf.as_ref().and_then(|shelf| shelf.objects.get(&number));
        found.cloned().ok_or(Failure::Closed)
    }

    /// Lets an object go; whoever is just using it is its last holder.
    pub fn remove(&self, number: jlong) {
        let object = self
            .lock()
            .as_mut()
            .and_then(|shelf| shelf.objects.remove(&number));
        // With no lock held.
        drop(object);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().as_ref().map_or(0, |shelf| shelf.objects.len())
    }
}
