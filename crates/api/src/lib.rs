//! HTTP: the product's API in Spinnaker's shapes, live streams, the page's files, the repository file server.
#![forbid(unsafe_code)]
