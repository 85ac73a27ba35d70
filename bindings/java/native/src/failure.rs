//! Why a native method failed.

use jni::objects::JThrowable;
use jni::refs::Global;

/// Why a native method failed.
#[derive(Debug)]
pub enum Failure {
    /// The library refused a setting, or to create an upload.
    Setting(resup::Error),
    /// A run failed.
    Run(resup::Error),
    /// A string, number or code from Java is not valid.
    Argument(String),
    /// There is no memory for a copy of this many bytes.
    Memory(usize),
    /// No object has this number any more.
    Closed,
    /// A run of this upload is in progress, on another thread or below the caller.
    Busy,
    /// Java code threw this exception, which is thrown again.
    Thrown(Global<JThrowable<'static>>),
    /// A JNI function failed, mostly with a pending exception.
    Jni(jni::errors::Error),
    /// A defect of this library.
    Internal(String),
}

impl From<resup::Error> for Failure {
    fn from(error: resup::Error) -> Self {
        Failure::Setting(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Self {
        Failure::Jni(error)
    }
}
