//! What carries traffic on this machine: balancer, health checks, instance shim, wanted state.
#![forbid(unsafe_code)]
