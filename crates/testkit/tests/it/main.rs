//! Checks of the workspace itself: who imports whom, what is linked and under which licence, how the text looks.
mod layers;
mod licences;
mod metadata;
