"""An emulator of the four providers: the same requests, people who answer or do not, and the truth afterwards.

It shares no code with the rest of the project, so that it is an independent check of the adapters.

server     the HTTP server that carries everything
settings   what a sandbox is started with
clock      its time
people     who answers, from the seed
call       one call or text
world      the truth: who was dialled, when, and how it ended
agenda     what happens later
lines      how many calls may run at once
webhooks   what is told to the outside
faults     what goes wrong on purpose
entrance   the way in: log, faults, keys
requests_log   what was asked
control    the routes under ``/_sandbox``
wire       JSON, instants and checks
face       what the server asks of a provider's face
revmo, revring, revox, movoice   one face per provider
"""
