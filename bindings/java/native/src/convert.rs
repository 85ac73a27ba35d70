//! Arguments and results of native methods: each Rust type names its JNI type.

use std::fmt::Display;
use std::time::Duration;

use jni::objects::{JByteArray, JLongArray};
use jni::sys::{jboolean, jint, jlong};
use jni::Env;
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;

/// A type of an argument.
pub trait FromJava: Sized {
    /// The type that Java passes.
    type Java<'local>;

    /// Checks and converts an argument.
    fn from_java<'local>(env: &mut Env<'local>, java: Self::Java<'local>) -> Result<Self, Failure>;
}

/// A type of a result.
pub trait IntoJava {
    /// The type that Java gets; its default goes along with an exception.
    type Java<'local>: Default;

    /// Converts a result.
    fn into_java<'local>(self, env: &mut Env<'local>) -> Result<Self::Java<'local>, Failure>;
}

/// Converts a signed number of Java to an unsigned one.
fn unsigned<S: Copy + Display, U: TryFrom<S>>(number: S) -> Result<U, Failure> {
    U::try_from(number).map_err(|_| {
        Failure::Argument(format!(
            "the number must not be less than 0, but is {number}"
        ))
    })
}

impl FromJava for u64 {
    type Java<'local> = jlong;

    fn from_java<'local>(_: &mut Env<'local>, number: jlong) -> Result<Self, Failure> {
        unsigned(number)
    }
}

impl FromJava for u32 {
    type Java<'local> = jint;

    fn from_java<'local>(_: &mut Env<'local>, number: jint) -> Result<Self, Failure> {
        unsigned(number)
    }
}

/// The number of an object that may not exist any more.
impl FromJava for jlong {
    type Java<'local> = jlong;

    fn from_java<'local>(_: &mut Env<'local>, number: jlong) -> Result<Self, Failure> {
        Ok(number)
    }
}

impl FromJava for bool {
    type Java<'local> = jboolean;

    fn from_java<'local>(_: &mut Env<'local>, value: jboolean) -> Result<Self, Failure> {
        Ok(value)
    }
}

/// Milliseconds.
impl FromJava for Duration {
    type Java<'local> = jlong;

    fn from_java<'local>(_: &mut Env<'local>, milliseconds: jlong) -> Result<Self, Failure> {
        unsigned(milliseconds).map(Duration::from_millis)
    }
}

/// A copy of the bytes, for which there may be no memory.
impl FromJava for Vec<u8> {
    type Java<'local> = JByteArray<'local>;

    fn from_java<'local>(
        env: &mut Env<'local>,
        array: JByteArray<'local>,
    ) -> Result<Self, Failure> {
        let size = array.len(env)?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(size)
            .map_err(|_| Failure::Memory(size))?;
        let mut buffer = Zeroizing::new([0; 8192]);
        while bytes.len() < size {
            let length = (size - bytes.len()).min(buffer.len());
            let block = &mut buffer[..length];
            array.get_region(env, bytes.len() as jint, block)?;
            bytes.extend(block.iter().map(|&byte| byte as u8));
        }
        Ok(bytes)
    }
}

/// A secret, which is overwritten in memory when it is dropped.
impl<T: FromJava + Zeroize> FromJava for Zeroizing<T> {
    type Java<'local> = T::Java<'local>;

    fn from_java<'local>(env: &mut Env<'local>, java: Self::Java<'local>) -> Result<Self, Failure> {
        T::from_java(env, java).map(Zeroizing::new)
    }
}

impl IntoJava for () {
    type Java<'local> = ();

    fn into_java<'local>(self, _: &mut Env<'local>) -> Result<(), Failure> {
        Ok(())
    }
}

impl IntoJava for jint {
    type Java<'local> = jint;

    fn into_java<'local>(self, _: &mut Env<'local>) -> Result<jint, Failure> {
        Ok(self)
    }
}

impl IntoJava for jlong {
    type Java<'local> = jlong;

    fn into_java<'local>(self, _: &mut Env<'local>) -> Result<jlong, Failure> {
        Ok(self)
    }
}

impl IntoJava for Vec<jlong> {
    type Java<'local> = JLongArray<'local>;

    fn into_java<'local>(self, env: &mut Env<'local>) -> Result<JLongArray<'local>, Failure> {
        let array = JLongArray::new(env, self.len())?;
        array.set_region(env, 0, &self)?;
        Ok(array)
    }
}
