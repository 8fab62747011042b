# Completion of tarn for fish. Verbs and options are asked of the program itself, so they are always its own.

# A verb and its summary, with a tab between.
function __tarn_verbs
	tarn help 2>/dev/null | sed -n '/^verbs:/,/^$/s/^  *\([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

# The long options of the verb on the command line.
function __tarn_options
	set -l words (commandline -opc)
	tarn help $words[2] 2>/dev/null | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sort -u
end

function __tarn_verb_is
	set -l words (commandline -opc)
	test (count $words) -ge 2; and contains -- $words[2] $argv
end

function __tarn_has_no_verb
	test (count (commandline -opc)) -eq 1
end

complete -c tarn -f -n __tarn_has_no_verb -a '(__tarn_verbs)'
complete -c tarn -f -n __tarn_has_no_verb -a help -d 'say what there is, or what a verb does'
complete -c tarn -f -n '__tarn_verb_is help' -a '(__tarn_verbs)'
complete -c tarn -f -n 'not __tarn_has_no_verb; and string match -q -- "-*" (commandline -ct)' -a '(__tarn_options)'
complete -c tarn -f -n '__tarn_verb_is init adopt mount umount reload doctor publish label gc fsck scrub' -a '(__fish_complete_directories)'
complete -c tarn -f -n '__tarn_verb_is bucket; and test (count (commandline -opc)) -eq 2' -a 'list set'
complete -c tarn -F -n '__tarn_verb_is status versions restore diff'
