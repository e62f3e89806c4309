//! A receiver for `signleak --revoke` in Rust: verifies, remembers, revokes once, answers by `docs/revocation.openapi.yaml`.
//!
//! ```sh
//! WEBHOOK_SECRET=whsec_... cargo run --example receiver 8000
//! ```
//!
//! Put it behind a proxy that speaks TLS; signleak sends plain HTTP to this machine only.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of its own")]

use std::collections::HashMap;
use std::error::Error;
use std::io::Read as _;

use serde_json::Value;
use serde_json::json;
use standardwebhooks::Webhook;
use tiny_http::Request;
use tiny_http::Response;
use tiny_http::Server;

/// Longer bodies are refused.
const LIMIT: u64 = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let webhook = Webhook::new(&std::env::var("WEBHOOK_SECRET")?)?;
    let port = std::env::args().nth(1).ok_or("name a port")?;
    let server = Server::http(format!("127.0.0.1:{port}")).map_err(|error| error.to_string())?;
    println!("listening on {}", server.server_addr());
    let mut answers = HashMap::new(); // by webhook-id; keep them in a database
    for mut request in server.incoming_requests() {
        let (status, answer) =
            answer(&mut request, &webhook, &mut answers).unwrap_or_else(|error| {
                (401, json!({"status": "rejected", "detail": error.to_string()}))
            });
        request.respond(Response::from_string(answer.to_string()).with_status_code(status))?;
    }
    Ok(())
}

/// Verifies one request; one key is one revocation, however many jobs ask.
fn answer(
    request: &mut Request,
    webhook: &Webhook,
    answers: &mut HashMap<String, Value>,
) -> Result<(u16, Value), Box<dyn Error>> {
    let mut body = String::new();
    request.as_reader().take(LIMIT).read_to_string(&mut body)?;
    let mut headers = HashMap::new();
    for header in request.headers() {
        headers.insert(header.field.to_string().to_lowercase(), header.value.to_string());
    }
    webhook.verify(body.as_bytes(), &(&headers).try_into()?)?;
    let event: Value = serde_json::from_str(&body)?;
    let id = headers.remove("webhook-id").unwrap_or_default();
    Ok((200, answers.entry(id).or_insert_with(|| revoke(&event["data"])).clone()))
}

/// Opens the ticket, drives the app, rotates the vault; here it only says so.
fn revoke(data: &Value) -> Value {
    println!("revoke {} ({}), {}", data["redacted"], data["fingerprint"], data["environment"]);
    json!({"status": "accepted", "detail": "a ticket is open"})
}
