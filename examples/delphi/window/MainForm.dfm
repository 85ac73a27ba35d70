object MainWindow: TMainWindow
  Left = 200
  Top = 120
  Width = 820
  Height = 480
  Caption = 'Uploads'
  Color = clBtnFace
  Constraints.MinHeight = 300
  Constraints.MinWidth = 700
  Position = poScreenCenter
  OnCreate = FormCreate
  OnDestroy = FormDestroy
  OnResize = FormResize
  PixelsPerInch = 96
  TextHeight = 13
  object Top: TPanel
    Left = 0
    Top = 0
    Width = 820
    Height = 84
    Align = alTop
    BevelOuter = bvNone
    TabOrder = 0
    object ServerLabel: TLabel
      Left = 12
      Top = 16
      Width = 42
      Height = 15
      Caption = '&Server'
      FocusControl = Server
    end
    object Server: TEdit
      Left = 72
      Top = 11
      Width = 736
      Height = 27
      Anchors = [akLeft, akTop, akRight]
      TabOrder = 0
      Text = 'http://127.0.0.1:8080/upload'
    end
    object AddButton: TButton
      Left = 12
      Top = 47
      Width = 110
      Height = 29
      Caption = '&Add files...'
      TabOrder = 1
      OnClick = AddButtonClick
    end
    object UploadButton: TButton
      Left = 130
      Top = 47
      Width = 100
      Height = 29
      Caption = '&Upload'
      TabOrder = 2
      OnClick = UploadButtonClick
    end
    object PauseButton: TButton
      Left = 238
      Top = 47
      Width = 100
      Height = 29
      Caption = '&Pause'
      TabOrder = 3
      OnClick = PauseButtonClick
    end
    object CancelButton: TButton
      Left = 346
      Top = 47
      Width = 100
      Height = 29
      Caption = '&Cancel'
      TabOrder = 4
      OnClick = CancelButtonClick
    end
    object RemoveButton: TButton
      Left = 454
      Top = 47
      Width = 100
      Height = 29
      Caption = 'Re&move'
      TabOrder = 5
      OnClick = RemoveButtonClick
    end
  end
  object Files: TDrawGrid
    Left = 0
    Top = 84
    Width = 820
    Height = 253
    Align = alClient
    ColCount = 6
    DefaultDrawing = False
    DefaultRowHeight = 28
    FixedCols = 0
    Options = [goFixedHorzLine, goHorzLine, goColSizing, goRowSelect, goThumbTracking]
    RowCount = 2
    TabOrder = 1
    OnClick = FilesClick
    OnDrawCell = FilesDrawCell
  end
  object Log: TMemo
    Left = 0
    Top = 337
    Width = 820
    Height = 120
    Align = alBottom
    ReadOnly = True
    ScrollBars = ssVertical
    TabOrder = 2
    WordWrap = False
  end
  object Status: TStatusBar
    Left = 0
    Top = 457
    Width = 820
    Height = 23
    SimplePanel = True
  end
  object Chooser: TOpenDialog
    Options = [ofAllowMultiSelect, ofPathMustExist, ofFileMustExist, ofEnableSizing]
    Title = 'Add files'
    Left = 560
    Top = 120
  end
  object Refresher: TTimer
    Interval = 200
    OnTimer = RefresherTimer
    Left = 600
    Top = 120
  end
end
