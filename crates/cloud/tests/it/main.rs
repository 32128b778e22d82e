//! Stories of providers that need nothing but memory. The local provider's are told with the real binary, beside its data plane.

mod hostile;
mod simulated;
