-- The audit is asked by name: whoever looks for something that was deleted knows that. Nothing asks by id.
DROP INDEX vault_audit_of_secret;
