# Lets PowerShell complete syncrator. Its parser keeps redirections and pipes out of the command's elements.
Register-ArgumentCompleter -Native -CommandName syncrator -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    foreach ($redirection in $commandAst.Redirections) {
        if ($redirection.Extent.StartOffset -lt $cursorPosition) { return }
    }
    $typed = @()
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.StartOffset -lt $cursorPosition) { $typed += $element.Extent.Text }
    }
    # Before 7.3 an empty word is lost on the way to a program; two quotes are taken for one.
    if ($wordToComplete -eq '') { $typed += '""' }
    & syncrator complete '--' @typed 2>$null | ForEach-Object {
        $word, $what = $_ -split "`t", 2
        if (-not $what) { $what = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $what)
    }
}
