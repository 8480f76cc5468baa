#compdef syncrator
# Lets zsh complete syncrator. Zsh itself keeps redirections out of the words.
_syncrator() {
  local -a offered
  local line word tab=$'\t'
  while IFS= read -r line; do
    word=${line%%"$tab"*}
    [[ -n $word ]] && offered+=("${word//:/\\:}:${line#*"$tab"}")
  done < <(syncrator complete -- "${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)
  _describe 'syncrator' offered
}
if [[ ${funcstack[1]} == _syncrator ]]; then
  _syncrator "$@"
else
  compdef _syncrator syncrator
fi
