//! Weighs what the name of a value says, and the function to which it is passed.

use super::Judge;
use super::has_both_cases;
use super::label::Label;
use super::label::Meaning;
use super::naming::Naming;
use super::score::Verdict;
use crate::detect::page::context::Context;
use crate::detect::page::quote;
use crate::detect::page::urls;
use crate::location::Span;
use crate::rule::Rule;
use crate::rule::RuleKind;

impl Judge<'_, '_> {
    pub(crate) fn weigh_label(
        &self,
        (span, rule): (Span, &Rule),
        naming: &Naming,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        let label = naming.label.as_ref();
        if let Some(reason) = self.called_harmless(span, context) {
            verdict.add(self.weights.harmless_name, reason);
            return;
        }
        if self.is_signature_check(span, context) || self.checked_at(context, label).is_some() {
            let text = "passed to a function that checks signatures";
            verdict.add(self.weights.signature_check, text);
            return;
        }
        self.weigh_digest(span, label, context, verdict);
        let is_rival = |label: &Label| label.meaning == Meaning::Rival;
        if self.weigh_place_in_url(span, verdict) {
            return;
        }
        if context.is_bearer && !label.is_some_and(is_rival) {
            verdict.add(self.weights.bearer, "follows `Bearer`");
            return;
        }
        if !label.is_some_and(|label| label.names_provider)
            && let Some(call) = self.call_for_other_purpose(label, context)
        {
            let text = format!("passed to `{call}`, which takes secrets for another purpose");
            verdict.add(self.weights.other_purpose, text);
        }
        let Some(label) = label else {
            if urls::is_parameter(self.page, span) {
                let text = "a parameter of a URL without a telling name";
                verdict.add(self.weights.nameless_parameter, text);
            }
            return;
        };
        self.weigh_purpose((span, rule), label, context, verdict);
        if label.text == "key" && self.is_list_key(span) {
            let text = "tells items of a list apart, as `key` does in JSX";
            verdict.add(self.weights.harmless_name, text);
            return;
        }
        let host = (label.meaning == Meaning::ForeignCredential)
            .then(|| self.name_with_host(span, label))
            .flatten();
        if let Some(Ok(name)) = host {
            let text =
                format!("its name begins as `{name}` does, a host of {}", self.provider.name);
            verdict.add(self.weights.credential, text);
            return;
        }
        if label.meaning == Meaning::ForeignCredential && self.is_sent_to_ours(span, context) {
            let text = format!("`{}` is sent to a host of {}", label.text, self.provider.name);
            verdict.add(self.weights.credential, text);
            return;
        }
        let (weight, what) = self.weight_of(label, span, naming.column.is_some());
        let name = quote::visible(&label.text, self.page.slice(span));
        verdict.add(weight, format!("its name `{name}` {what}"));
        if !has_both_cases(self.page.slice(span)) && self.is_file_name(label.text.as_bytes()) {
            let text = "its name is that of a file: it is the file's digest";
            verdict.add(self.weights.digest_nearby, text);
        }
    }

    /// What says, beside the name, that the value is a digest or an identifier.
    fn called_harmless(&self, span: Span, context: &Context) -> Option<String> {
        if let Some(block) = self.block_of_digests(span, context) {
            return Some(format!("stands in `{block}`, among digests"));
        }
        let reason = if self.is_commented_as_digest(span) {
            "a comment calls it a digest"
        } else if self.is_compared_with_digest(span) {
            "is compared with what a function for digests gives"
        } else if urls::is_behind_resource(self.page, span) {
            "the id of something in the path of a URL"
        } else if self.is_id_in_prose(span) {
            "the words before it call it an identifier"
        } else if self.ends_key_of_data(span) {
            "ends a key by which data is kept"
        } else {
            return None;
        };
        Some(reason.to_owned())
    }

    /// Weighs the part of a URL that the value is; `true` if that says what it is.
    fn weigh_place_in_url(&self, span: Span, verdict: &mut Verdict) -> bool {
        let weights = &self.weights;
        let (weight, text) = if urls::is_user_information(self.page, span) {
            (weights.credential, "the user or password in a URL")
        } else if has_both_cases(self.page.slice(span)) && urls::is_before_resource(self.page, span)
        {
            (weights.credential, "stands before what the API offers in the path of a URL")
        } else if urls::is_in_url_elsewhere(self.page, span) {
            (weights.rival_in_statement, "a part of a URL of another host")
        } else {
            return false;
        };
        verdict.add(weight, text);
        true
    }

    /// Weighs what a credential is for, as far as that is not the provider's API.
    fn weigh_purpose(
        &self,
        (span, rule): (Span, &Rule),
        label: &Label,
        context: &Context,
        verdict: &mut Verdict,
    ) {
        if label.meaning == Meaning::Credential
            && self.is_default(rule)
            && self.is_own_secret(span, label, context)
        {
            let text = "frameworks keep a secret of their own under that name";
            verdict.add(self.weights.other_purpose, text);
        }
        if self.is_used_for_other_purpose(context, label) {
            let text = "used to sign or encrypt what is one's own";
            verdict.add(self.weights.other_purpose, text);
        }
        if label.meaning == Meaning::Password && self.is_for_database(span) {
            let text = "stands among the settings of a database";
            verdict.add(self.weights.other_purpose, text);
        }
        if self.is_form_state(label, span) {
            let text = "a hidden field of a form, as against forged requests";
            verdict.add(self.weights.other_purpose, text);
        }
        let is_of_user = |word: &String| matches!(word.as_str(), "user" | "utilisateur");
        if label.meaning == Meaning::Password
            && !label.names_provider
            && label.words.iter().any(is_of_user)
        {
            verdict.add(self.weights.other_purpose, "the password of a user");
        }
        let data_key = &self.page.vocabulary().data_key;
        if self.page.is_code()
            && label.words.len() == 1
            && label.words.iter().all(|word| data_key.contains(word))
        {
            let text = format!("its name `{}` is that of what is kept for a while", label.text);
            verdict.add(self.weights.other_purpose, text);
            return;
        }
        if self.is_called_key_of_data(label, span) || self.is_key_in_log(label, span) {
            let text = format!("`{}` is a key by which data is kept", label.text);
            verdict.add(self.weights.harmless_name, text);
            return;
        }
        let is_bare = !label.names_provider || label.text.ends_with(" key");
        if is_bare
            && label.words.first().is_some_and(|word| word == "key")
            && self.is_key_of_data(span)
        {
            let text = "a line about data that is kept calls it a `key`";
            verdict.add(self.weights.other_purpose, text);
        }
    }

    /// How much a name counts, and what it says.
    fn weight_of(&self, label: &Label, span: Span, in_table: bool) -> (i32, String) {
        let weights = &self.weights;
        let provider = &self.provider.name;
        match (label.meaning, label.names_provider) {
            (Meaning::Credential, true) => {
                (weights.own_credential, format!("is that of a {provider} credential"))
            }
            (Meaning::Credential, false) => (weights.credential, "is a credential's".to_owned()),
            (Meaning::Password, _) if in_table && !has_both_cases(self.page.slice(span)) => {
                (weights.digest_nearby, "is a password's, which tables hold hashed".to_owned())
            }
            (Meaning::Password, _) => (weights.password, "is a password's".to_owned()),
            (Meaning::ForeignCredential, _) => {
                (weights.foreign_credential, "is that of a credential of something else".to_owned())
            }
            (Meaning::OtherPurpose, _) => {
                (weights.other_purpose, "is that of a credential for another purpose".to_owned())
            }
            (Meaning::Rival, _) => (weights.rival_name, "speaks of another provider".to_owned()),
            (Meaning::Harmless, _) => {
                (weights.harmless_name, "is that of an identifier, digest or the like".to_owned())
            }
            // A digest in a row with the provider's name is not a key (`('yousign-bot', <md5>)`).
            (_, true) if !has_both_cases(self.page.slice(span)) => {
                (weights.own_name_plain_shape, format!("speaks of {provider}"))
            }
            (_, true) => (weights.own_name, format!("speaks of {provider}")),
            (Meaning::Carrier, false) => {
                (weights.carrier, "does not say what it carries".to_owned())
            }
            (Meaning::Unknown, false) => {
                (weights.unknown_name, "does not say that it is a credential".to_owned())
            }
        }
    }

    fn is_signature_check(&self, span: Span, context: &Context) -> bool {
        let checks = |rule: &Rule| match &rule.kind {
            RuleKind::Token(kind) => self.has_call_cue(span, context, &kind.cues.call),
            RuleKind::Pattern(_) | RuleKind::Tracked(_) => false,
        };
        self.provider.rules.iter().any(checks)
    }
}
