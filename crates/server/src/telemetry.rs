//! Logs to standard error, and the figures that `/metrics` tells.

use crate::config::{Log, LogFormat};
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt;

/// Seconds; the upper bounds of the buckets of every duration.
const BUCKETS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Starts to log.
pub fn log(config: &Log) -> anyhow::Result<()> {
    let text = match config.format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let builder = fmt().with_env_filter(config.level.filter()).with_writer(stderr);
    let started = if text {
        builder.with_ansi(stderr().is_terminal()).with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    started
        .map_err(anyhow::Error::from_boxed)
        .context("logging can't be started")
}

/// Starts to count.
pub fn count() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()
        .context("figures can't be counted")
}

/// Without this, durations that nobody asks for pile up.
pub async fn tidy_figures(figures: PrometheusHandle, stop: CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(5));
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        figures.run_upkeep();
    }
}
