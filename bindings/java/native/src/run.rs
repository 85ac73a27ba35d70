//! A run in progress on this thread: callbacks of the library, as calls of `io.resup.Run`.
//!
//! An exception that Java throws there ends the run. It is kept, and thrown again when the native method returns. Every
//! call has its own frame of local references.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use jni::objects::{JByteArray, JObject, JThrowable, JValue};
use jni::refs::Global;
use jni::sys::jlong;
use jni::{jni_sig, jni_str, Env, JavaVM};
use resup::{Flow, LogLevel, UploadState};

use crate::code::Coded;
use crate::convert::{FromJava, IntoJava};
use crate::failure::Failure;

thread_local! {
    /// The runs of this thread, the innermost last: a listener may run another upload.
    static RUNS: RefCell<Vec<Rc<Run>>> = const { RefCell::new(Vec::new()) };
}

/// A run and its `io.resup.Run`.
pub struct Run {
    object: Global<JObject<'static>>,
    /// The first failure of a call.
    failure: RefCell<Option<Failure>>,
    /// The array into which Java reads.
    buffer: RefCell<Option<Global<JByteArray<'static>>>>,
}

/// A guard during which a run is the innermost one of this thread.
pub struct Scope(Rc<Run>);

impl FromJava for Run {
    type Java<'local> = JObject<'local>;

    fn from_java<'local>(env: &mut Env<'local>, object: JObject<'local>) -> Result<Self, Failure> {
        Ok(Run {
            object: env.new_global_ref(object)?,
            failure: RefCell::default(),
            buffer: RefCell::default(),
        })
    }
}

impl Run {
    /// Makes this run the innermost one.
    pub fn enter(self) -> Scope {
        let run = Rc::new(self);
        RUNS.with_borrow_mut(|runs| runs.push(run.clone()));
        Scope(run)
    }

    /// Returns the innermost run.
    fn innermost() -> Rc<Run> {
        let run = RUNS.with_borrow(|runs| runs.last().cloned());
        run.expect("the library calls only within a run")
    }

    /// Calls Java, and keeps the first failure.
    fn call<T>(
        &self,
        body: impl FnOnce(&mut Env<'_>, &JObject<'_>) -> Result<T, Failure>,
    ) -> Option<T> {
        let vm = JavaVM::singleton().expect("Java called this library");
        let result = vm.attach_current_thread(|env| {
            let result = body(env, &self.object);
            match env.exception_occurred() {
                Some(exception) => {
                    env.exception_clear();
                    Err(Failure::Thrown(global(env, exception)?))
                }
                None => result,
            }
        });
        match result {
            Ok(value) => Some(value),
            Err(failure) => {
                self.failure.borrow_mut().get_or_insert(failure);
                None
            }
        }
    }
}

fn global(
    env: &Env<'_>,
    exception: JThrowable<'_>,
) -> Result<Global<JThrowable<'static>>, Failure> {
    Ok(env.new_global_ref(exception)?)
}

impl Scope {
    /// Ends the scope, and returns the first failure of a call.
    pub fn leave(self) -> Option<Failure> {
        self.0.failure.take()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        RUNS.with_borrow_mut(|runs| runs.pop());
    }
}

fn flow(result: Option<()>) -> Flow {
    match result {
        Some(()) => Flow::Continue,
        None => Flow::Cancel,
    }
}

/// Asks whether the run is to continue.
pub fn should_continue() -> bool {
    let answer = Run::innermost().call(|env, run| {
        let answer = env.call_method(run, jni_str!("shouldContinue"), jni_sig!("()Z"), &[])?;
        Ok(answer.z()?)
    });
    answer.unwrap_or(false)
}

/// Reports progress to the listener.
pub fn progress() -> Flow {
    flow(Run::innermost().call(|env, run| {
        env.call_method(run, jni_str!("progress"), jni_sig!("()V"), &[])?;
        Ok(())
    }))
}

/// Reports a new state to the listener.
pub fn state(state: UploadState) -> Flow {
    flow(Run::innermost().call(|env, run| {
        let arguments = [JValue::Int(state.code()?)];
        env.call_method(run, jni_str!("state"), jni_sig!("(I)V"), &arguments)?;
        Ok(())
    }))
}

/// Passes a line to the log of the client.
pub fn log(level: LogLevel, line: &str) -> Flow {
    flow(Run::innermost().call(|env, run| {
        let line = line.into_java(env)?;
        let arguments = [JValue::Int(level.code()?), JValue::Object(&line)];
        env.call_method(run, jni_str!("log"), jni_sig!("(I[C)V"), &arguments)?;
        Ok(())
    }))
}

/// What `io.resup.Source.read` returns that got nothing, since the run is to end.
const STOPPED: i32 = -1;

/// The source of the innermost run, which Java reads.
pub struct Stream;

fn failed() -> io::Error {
    io::Error::other("the program's own code threw an exception")
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let run = Run::innermost();
        let size = run.call(|env, object| {
            let mut kept = run.buffer.borrow_mut();
            let fits = match &*kept {
                Some(buffer) => buffer.len(env)? == into.len(),
                None => false,
            };
            if !fits {
                let array = JByteArray::new(env, into.len())?;
                *kept = Some(env.new_global_ref(array)?);
            }
            let buffer = kept.as_ref().expect("it was made");
            let arguments = [JValue::Object(buffer)];
            let size = env.call_method(object, jni_str!("read"), jni_sig!("([B)I"), &arguments)?;
            let size = size.i()?;
            if size == STOPPED {
                return Ok(None);
            }
            let bytes = env.convert_byte_array(buffer)?;
            let bytes = usize::try_from(size)
                .ok()
                .and_then(|size| bytes.get(..size));
            let bytes = bytes.ok_or_else(|| {
                let room = into.len();
                Failure::Argument(format!(
                    "the source read {size} bytes into a buffer of {room}"
                ))
            })?;
            into[..bytes.len()].copy_from_slice(bytes);
            Ok(Some(bytes.len()))
        });
        size.flatten().ok_or_else(failed)
    }
}

impl Seek for Stream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let offset = Run::innermost().call(|env, run| match to {
            SeekFrom::Start(offset) => {
                let arguments = [JValue::Long(offset as jlong)];
                env.call_method(run, jni_str!("seek"), jni_sig!("(J)V"), &arguments)?;
                Ok(offset)
            }
            // The library asks for the size in this way.
            _ => {
                let size = env.call_method(run, jni_str!("size"), jni_sig!("()J"), &[])?;
                Ok(size.j()? as u64)
            }
        });
        offset.ok_or_else(failed)
    }
}
