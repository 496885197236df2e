"""An emulator of the four providers: the same requests, people who answer or do not, and the truth afterwards.

It shares no code with the rest of the project, so that it is an independent check of the adapters.

server       the HTTP server that carries everything
settings     what a sandbox is started with
switches     what is assumed of each provider, and can be corrected
options      switches and faults as a command line names them
clock        its time
chance       numbers drawn from the seed
people       who answers, from the seed
call         one call or text, and its dials
world        the truth: who was dialled, when, and how it ended
agenda       what happens later
lines        how many calls may run at once
windows      when providers may call
webhooks     what is told to the outside
signatures   how it is proved
faults       what goes wrong on purpose
fault_plans  how people write that down
strikes      how it goes wrong
entrance     the way in: log, faults, keys
requests_log what was asked
control      the routes under ``/_sandbox``
wire, sheet  JSON, instants, checks; CSV
face         what the server asks of a provider's face

revmo, revring, revox, movoice   one face per provider; ``revring_...``, ``revox_...`` and ``movoice_...`` hold what
belongs to one: its checks, its records, its campaigns, lists, agents
"""
