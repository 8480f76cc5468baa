# Lets bash complete syncrator.
__syncrator_complete() {
  local -a typed=()
  local rest=${COMP_LINE-} tab=$'\t' last= before= trimmed word line i
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      [\<\>\|\;\&\(\)]*)
        compopt -o default 2>/dev/null || :
        return 0
        ;;
    esac
    # Bash cuts words at = and :. What stands together in the line is one word.
    trimmed=${rest#"${rest%%[![:space:]]*}"}
    if [[ $i -gt 0 && -n ${COMP_LINE-} && $trimmed == "$rest" && ( $word == [=:]* || $last == *[=:] ) ]]; then
      [[ $word == [=:]* ]] && before=$last$word || before=$last
      last+=$word
      typed[${#typed[@]}-1]=$last
    else
      before=
      last=$word
      typed+=("$word")
    fi
    rest=${trimmed#"$word"}
  done
  while IFS= read -r line; do
    word=${line%%"$tab"*}
    # Bash puts in the part after the last = or : alone.
    [[ -n $word ]] && COMPREPLY+=("${word#"$before"}")
  done < <(syncrator complete -- "${typed[@]:1}" 2>/dev/null </dev/null)
}
complete -F __syncrator_complete syncrator
