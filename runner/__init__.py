"""outreach-runner: git-managed YAML says who to reach; `outreach` does exactly that and can prove it.

Glossary, one word per thing:

project      a folder with campaigns, templates, contacts and an optional ``outreach.yaml``
campaign     one YAML file
provider     an HTTP API that places calls or sends texts: revmo, revring, revox, movoice
account      a provider's base URL, API generation and reference to a credential
agent        the voice or SMS agent at a provider that talks
contact      a person: phone number, zone, variables
step         one call or text in a campaign's sequence
payload      the exact request body for one contact and step
window       a span of local time in which an attempt may start
calendar     when one rule lets an attempt start: a campaign's windows are one, each row of the law is one more
blackout     dates on which nothing starts
law          the table of rules by place; a row of it is one rule with its source
jurisdiction a country, or a part of one, whose law may count for a person
consent      what a person has agreed to: none, existing_relationship, express, express_written
override     a row of the law that a campaign changes or sets aside, with its reason
round        one run of a campaign that repeats: a campaign of its own, with the contacts of its moment
finding      what one rule says about one person and step, until when, and where it stands
plan         what would be created, kept, changed, removed, skipped, and why; it has a digest
revision     a plan that was applied: digest, git commit, who, when
attempt      one try to reach one contact by one step: one ledger row, at most one request
log id       what logs, traces and notifications call an attempt: a hash of its key, keyed by the ledger
outcome      how an attempt ended, in our vocabulary
tag          the business result that the agent set, kept as it came
follow-up    what an outcome leads to: retry at, next step at, done
call back    an attempt at the time that a person named; none of the step's tries
variant      one of several ways to do a campaign, given to a person for good by a hash
backup       an agent of another account that takes over while that of the step's own agent fails
goal         what a campaign is after (`done_when`); reached, nothing more is done for the person
in doubt     a request may have been placed, and nothing proves it either way
held         waits for a person
cap          the most attempts that a person may get in a period, over all campaigns
cool-down    how long a person is left alone after a conversation
suppression  a person who must not be contacted, and why
ledger       the database that holds revisions, contacts, attempts, events, suppressions
heartbeat    the APScheduler job that wakes the dispatcher; it decides nothing
dispatcher   claims due attempts, asks the rules, sends, settles
lane         campaign x step x account x agent x from-number: what pacing counts
slot         room for one live call
breaker      keeps an account from being used while its sends fail
doubt budget how many sends in doubt pause a campaign
sandbox      our emulator of the four providers; a command
"""

__version__ = "0.1.0"
