// The start-up file of the learner's bash: prompt, completion, and the marks that tell which command ran and how it ended.
// Knows no terminal; the marks' grammar is in server/terminal/marks.ts.

/** Bash 4.4 brought PS0; on an older one (macOS has 3.2) the DEBUG trap stands in for it. */
export const RCFILE = String.raw`# Written by Kubeflow by Doing for the shell in the page. Your own ~/.bashrc is yours: it is read at the end.
__kbd_nonce=$KBD_NONCE
unset KBD_NONCE
HISTCONTROL= HISTSIZE=2000 HISTFILE=~/.bash_history
bind 'set bell-style none' 2>/dev/null
bind 'set enable-active-region off' 2>/dev/null
shopt -s checkwinsize histappend cmdhist

__kbd_escape() {
  local s=$1
  s=${'$'}{s//\\/\\\\}
  s=${'$'}{s//;/\\x3b}
  s=${'$'}{s//$'\n'/\\x0a}
  s=${'$'}{s//$'\r'/\\x0d}
  s=${'$'}{s//$'\a'/\\x07}
  s=${'$'}{s//$'\e'/\\x1b}
  REPLY=$s
}
__kbd_before() {
  local line REPLY
  line=$(HISTTIMEFORMAT= builtin history 1)
  [[ $line =~ ^[[:space:]]*[0-9]+[*[:space:]][[:space:]](.*)$ ]] && line=${'$'}{BASH_REMATCH[1]}
  __kbd_escape "$line"
  printf '\e]633;E;%s;%s\a\e]633;C;%s\a' "$REPLY" "$__kbd_nonce" "$__kbd_nonce"
}
__kbd_prompt() {
  local code=$? REPLY
  __kbd_escape "$PWD"
  printf '\e]633;D;%s;%s\a\e]633;P;Cwd=%s;%s\a' "$code" "$__kbd_nonce" "$REPLY" "$__kbd_nonce"
  __kbd_armed=1
  return $code
}
PROMPT_COMMAND=__kbd_prompt
if (( BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4) )); then
  PS0='$(__kbd_before)'
else
  __kbd_debug() {
    [[ -n $__kbd_armed && -z $COMP_LINE && $BASH_COMMAND != __kbd_prompt* ]] || return 0
    __kbd_armed=
    __kbd_before
  }
  trap __kbd_debug DEBUG
fi

PS1='\['$'\e]633;A;'"$__kbd_nonce"$'\a''\]\[\e[1;32m\]'"${'$'}{KBD_PROMPT:-\u@\h}"'\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ \['$'\e]633;B;'"$__kbd_nonce"$'\a''\]'
PS2='> '
unset KBD_PROMPT

alias ls='ls --color=auto' ll='ls -l --color=auto' grep='grep --color=auto' k=kubectl
ls --color=auto / >/dev/null 2>&1 || unalias ls ll

# What kubectl edit opens unless it is told otherwise is vi, which not every machine has.
if [[ -z $KUBE_EDITOR$EDITOR ]] && ! type -P vi >/dev/null; then
  for __kbd_editor in nano vim micro emacs; do
    type -P "$__kbd_editor" >/dev/null && export KUBE_EDITOR=$__kbd_editor && break
  done
  unset __kbd_editor
fi

[[ -r /usr/share/bash-completion/bash_completion ]] && . /usr/share/bash-completion/bash_completion
# Where that package is not installed, these are the words of it that completion scripts of kubectl, helm and minikube use.
declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref() {
  # Bash also splits words at = and :; those named after -n hold together here.
  local __keep= __rest=$COMP_LINE __word __trimmed __at __last=-1 __name __cur= __cword=0
  local -a __words
  if [[ $1 == -n ]]; then __keep=$2; shift 2; fi
  for ((__at = 0; __at < ${'$'}{#COMP_WORDS[@]}; __at++)); do
    __word=${'$'}{COMP_WORDS[__at]}
    __trimmed=${'$'}{__rest#"${'$'}{__rest%%[![:space:]]*}"}
    if [[ -n $__keep && $__last -ge 0 && $__trimmed == "$__rest" ]] &&
      [[ ( -n $__word && -z ${'$'}{__word//["$__keep"]/} ) || ${'$'}{__words[__last]} == *["$__keep"] ]]; then
      __words[__last]+=$__word
    else
      __words[++__last]=$__word
    fi
    __rest=${'$'}{__trimmed#"$__word"}
    if ((__at == COMP_CWORD)); then
      __cword=$__last
      __cur=${'$'}{__words[__last]}
      # What stands right of the cursor is not asked about.
      local __over=$((${'$'}{#COMP_LINE} - ${'$'}{#__rest} - COMP_POINT))
      if ((__over > 0 && __over <= ${'$'}{#__cur})); then __cur=${'$'}{__cur:0:${'$'}{#__cur}-__over}; fi
    fi
  done
  for __name; do
    case $__name in
      cur) cur=$__cur ;;
      prev) prev=; if ((__cword > 0)); then prev=${'$'}{__words[__cword - 1]}; fi ;;
      words) words=("${'$'}{__words[@]}") ;;
      cword) cword=$__cword ;;
    esac
  done
}
declare -F _filedir >/dev/null || _filedir() {
  local __file
  compopt -o filenames 2>/dev/null
  while IFS= read -r __file; do
    if [[ -d $__file || -z $1 || ( $1 != -d && "|$1|" == *"|${'$'}{__file##*.}|"* ) ]]; then COMPREPLY+=("$__file"); fi
  done < <(compgen -f -- "$cur")
}
declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions() {
  local __at
  [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
  for __at in "${'$'}{!COMPREPLY[@]}"; do COMPREPLY[__at]=${'$'}{COMPREPLY[__at]#"${'$'}{1%"${'$'}{1##*:}"}"}; done
}
# kubectl's own completion takes a while to print, so it is asked for once, when Tab is first pressed after kubectl or k.
__kbd_kubectl_completion() {
  complete -r kubectl k
  eval "$(kubectl completion bash 2>/dev/null)"
  declare -F __start_kubectl >/dev/null || return 1
  complete -o default -F __start_kubectl k
  return 124
}
complete -F __kbd_kubectl_completion kubectl k

[[ -r ~/.bashrc ]] && . ~/.bashrc
true
`;
