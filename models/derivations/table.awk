# spor verify models/derivations | awk -f models/derivations/table.awk
# The table of README.md: a row for each derivation that holds, with the rung that its line ends in.
function rung(line) {
    if (line ~ /; proved for all values/) return "proved for all values of its shapes"
    if (line ~ /; identity over the reals/) return "identity over the reals"
    if (line ~ /; identity for /) return "tested within rounding; identity at some of its shapes"
    if (line ~ /; exact/) return "exact"
    return line ~ /; tested at points/ ? "tested within rounding" : "?"
}
BEGIN { print "| layer | script | rung |\n| --- | --- | --- |" }
/\.spor$/ { script = $0; sub(/.*\//, "", script) }
/^  holds  / {
    label = $0
    sub(/^  holds +/, "", label)
    sub(/  .*/, "", label)
    print "| " label " | `" script "` | " rung($0) " |"
}
