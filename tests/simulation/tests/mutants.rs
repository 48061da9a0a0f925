//! Every check that is taken out is noticed.
