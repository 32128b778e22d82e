//! What happened, who asks for it, and the one client for calls to the outside.
#![forbid(unsafe_code)]
