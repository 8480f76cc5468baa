# Lets fish complete syncrator.
function __syncrator_complete
    # Without what is quoted, a < or > that is left redirects.
    set -l bare (string replace -ra '\\\\.|\'(\\\\.|[^\\\\\'])*\'?|"(\\\\.|[^\\\\"])*"?' '' -- (commandline -pc | string collect))
    if string match -q -r '[<>]' -- "$bare"
        return
    end
    set -l typed (commandline -opc)
    set -l last (commandline -ct | string collect)
    syncrator complete -- $typed[2..-1] "$last" 2>/dev/null </dev/null
end
complete -c syncrator -f -a '(__syncrator_complete)'
