//! The macro that declares native methods.

use jni::{Env, EnvUnowned};

use crate::exception::Throw;
use crate::failure::Failure;

/// Runs the body of a native method; failures and panics become exceptions.
pub fn call<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    env.with_env(body).resolve::<Throw>()
}

/// Declares native methods by the names that Java looks for: `Java_class_method(argument: Type, …) -> Result { body }`.
///
/// Types are those of Rust: arguments implement `FromJava`, results `IntoJava`. In the body `?` throws.
macro_rules! natives {
    ($($(#[$doc:meta])* $symbol:ident($($name:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        // Only Java calls a function of this name: no other function of the process can have it.
        #[allow(unsafe_code)]
        #[no_mangle]
        pub extern "system" fn $symbol<'local>(
            env: jni::EnvUnowned<'local>,
            _: jni::objects::JObject<'local>,
            $($name: <$type as $crate::convert::FromJava>::Java<'local>,)*
        ) -> <$crate::native::natives!(@result $($result)?) as $crate::convert::IntoJava>::Java<'local> {
            $crate::native::call(env, |env| {
                $(let $name = <$type as $crate::convert::FromJava>::from_java(env, $name)?;)*
                let result = $body;
                $crate::convert::IntoJava::into_java(result, env)
            })
        }
    )*};
    (@result) => { () };
    (@result $result:ty) => { $result };
}
pub(crate) use natives;
