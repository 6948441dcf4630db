/** What a shell is told about completion: it asks the program itself, which knows its commands, and the names in the datastore. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The hidden command that the scripts call with the words up to the cursor, the last of which may be empty. */
export const COMPLETE = '__complete';

/** In place of candidates: the names of files are what fits. */
export const FILES = ':files';

const bash = `# calicoctl-ts completion for bash: source <(calicoctl-ts completion bash)
_calicoctl_ts() {
  local IFS=$'\\n' found
  found=$("\${COMP_WORDS[0]}" ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=()
  if [ "$found" = '${FILES}' ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  elif [ -n "$found" ]; then
    COMPREPLY=($found)
  fi
}
complete -F _calicoctl_ts calicoctl-ts
`;

const zsh = `#compdef calicoctl-ts
# calicoctl-ts completion for zsh: source <(calicoctl-ts completion zsh), or this text as _calicoctl-ts in a directory of $fpath
_calicoctl_ts() {
  local -a found
  found=("\${(@f)$("\${words[1]}" ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == '${FILES}' ]]; then
    _files
  elif [[ -n "\${found[1]}" ]]; then
    compadd -a found
  fi
}
if [[ "\${funcstack[1]}" == _calicoctl-ts ]]; then
  _calicoctl_ts "$@"
else
  compdef _calicoctl_ts calicoctl-ts
fi
`;

const fish = `# calicoctl-ts completion for fish: calicoctl-ts completion fish | source
function __calicoctl_ts_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] ${COMPLETE} -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found" = '${FILES}'
        __fish_complete_path "$current"
    else if set -q found[1]
        printf '%s\\n' $found
    end
end
complete -c calicoctl-ts -f -a '(__calicoctl_ts_complete)'
`;

export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
