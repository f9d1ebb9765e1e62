# The station as a scheduled task that starts with Windows and is started again when it fails.
# Written from Microsoft's documentation, not tried on a Windows computer.
# Run in an elevated PowerShell:  .\install-station.ps1 -File C:\sunmi-ipc\station.toml
param([Parameter(Mandatory = $true)][string]$File, [string]$Name = "sunmi-ipc station")
$ipc = (Get-Command ipc.exe).Source
$action = New-ScheduledTaskAction -Execute $ipc -Argument "serve `"$File`""
$trigger = New-ScheduledTaskTrigger -AtStartup
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
  -ExecutionTimeLimit ([TimeSpan]::Zero) -StartWhenAvailable -MultipleInstances IgnoreNew
$principal = New-ScheduledTaskPrincipal -UserId "NT AUTHORITY\LOCAL SERVICE" -LogonType ServiceAccount
Register-ScheduledTask -TaskName $Name -Action $action -Trigger $trigger -Settings $settings -Principal $principal
Start-ScheduledTask -TaskName $Name
