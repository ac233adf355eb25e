use std::marker::PhantomData;
use std::panic::resume_unwind;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Problem;

/// A function that a process can run with these arguments, a tuple as in Python's `args=(…)`.
///
/// It is implemented for functions of up to six arguments. The function itself must be an item or
/// a closure without captures: what a closure holds would have to cross too.
pub trait Target<Args>: Copy + 'static {
    /// What it returns: the value of [`join`](crate::Process::join).
    type Output: Serialize + DeserializeOwned + 'static;

    /// Calls it.
    fn call(self, args: Args) -> Self::Output;
}

macro_rules! target {
    ($($type:ident $name:ident),*) => {
        impl<F, R, $($type),*> Target<($($type,)*)> for F
        where
            F: Fn($($type),*) -> R + Copy + 'static,
            R: Serialize + DeserializeOwned + 'static,
        {
            type Output = R;
            fn call(self, ($($name,)*): ($($type,)*)) -> R {
                self($($name),*)
            }
        }
    };
}
target!();
target!(A a);
target!(A a, B b);
target!(A a, B b, C c);
target!(A a, B b, C c, D d);
target!(A a, B b, C c, D d, E e);
target!(A a, B b, C c, D d, E e, G g);

/// A target with its argument types: what crosses to the child as an [`Entry`](fork::Entry).
pub(crate) struct Call<F, Args>(pub F, pub PhantomData<fn(Args)>);

impl<F: Copy, Args> Clone for Call<F, Args> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F: Copy, Args> Copy for Call<F, Args> {}

impl<F: Target<Args>, Args: DeserializeOwned + 'static> fork::Task for Call<F, Args> {
    fn run(self, input: &[u8], output: &mut Vec<u8>) {
        let args = postcard::from_bytes::<Args>(input).unwrap_or_else(|error| {
            give_up(format!("its arguments arrived as something else: {error}"))
        });
        let value = self.0.call(args);
        postcard::to_io(&value, output).unwrap_or_else(|error| give_up(error.to_string()));
    }
}

/// Goes to whoever called the entry, as a panic would, but it is none: no hook says so.
fn give_up(reason: String) -> ! {
    resume_unwind(Box::new(Problem::NotTransferred(reason)))
}
