//! Checks of the workspace itself: who imports whom, what is linked and under which licence, whether the documentation holds together.
mod documents;
mod layers;
mod licences;
mod metadata;
