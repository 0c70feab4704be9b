//! What accounts count, with its meaning.

use metrics::{Unit, counter, describe_counter};

use super::SignOutReason;

/// Tells `/metrics` what the counters of accounts mean, and lets them begin at 0; for the start of the engine.
pub fn describe_metrics() {
    describe_counter!("parlance_registrations_total", Unit::Count, "Attempts to create an account, by outcome");
    describe_counter!("parlance_logins_total", Unit::Count, "Attempts to sign in with a password, by outcome");
    describe_counter!("parlance_refreshes_total", Unit::Count, "Attempts to refresh tokens, by outcome");
    describe_counter!(
        "parlance_refreshes_repeated_total",
        Unit::Count,
        "Refresh tokens that came again within auth.refresh_grace_s and were answered with the same new one"
    );
    describe_counter!("parlance_sign_outs_total", Unit::Count, "Sign-ins that ended, by reason");
    describe_counter!(
        "parlance_password_changes_total",
        Unit::Count,
        "Attempts to set a new password, by how (own, link, operator) and outcome"
    );
    describe_counter!("parlance_reset_links_total", Unit::Count, "Links for a new password that were made");
    describe_counter!(
        "parlance_attempts_refused_total",
        Unit::Count,
        "Attempts beyond the allowance of an address, account or device, by limit"
    );
    for name in ["parlance_registrations_total", "parlance_logins_total", "parlance_refreshes_total"] {
        counter!(name, "outcome" => "ok").increment(0);
        counter!(name, "outcome" => "refused").increment(0);
    }
    counter!("parlance_refreshes_repeated_total").increment(0);
    counter!("parlance_reset_links_total").increment(0);
    for reason in SignOutReason::ALL {
        counter!("parlance_sign_outs_total", "reason" => reason.as_str()).increment(0);
    }
}
